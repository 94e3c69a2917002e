"""Who is to be champion: the better of two models, rows that neither has seen, and gates."""
