"""Learning: the vectoriser, the learners, and every score of what they predict."""
