"""The report of a workflow: collected from the store as plain values, then rendered as an HTML page."""
