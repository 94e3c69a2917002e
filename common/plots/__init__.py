"""Charts of a search and of its winner: described once, drawn as PNG and as an interactive page."""
