"""Findings of a search: its candidates, the effect of each hyperparameter, and the grid to try next."""
