"""What the figures of the documents come from; each module is a command."""
