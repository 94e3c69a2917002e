"""Data sets: what a table is, where its file lies, how its records are read, described and divided."""
