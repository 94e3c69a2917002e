"""What a search found: its candidates read back, what each hyperparameter does, what to try next."""
