"""Several learners that vote: who they are, what each says out of fold, their weights, one pipeline."""
