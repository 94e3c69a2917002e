"""Learning: the vectoriser, the learners, and the scores of their predictions."""
