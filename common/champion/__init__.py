"""Choosing the champion: comparing two models, on rows that neither has seen, and checking gates."""
