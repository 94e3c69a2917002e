"""Data sets: the spec of a table, where its file is, and how its rows are read, described and split."""
