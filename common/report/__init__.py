"""A workflow on one page: collected from the store as plain values, then rendered as HTML."""
