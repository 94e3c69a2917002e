"""Pictures of a search and of its winner: described once, drawn still and interactive."""
