"""The workflow as one table: its steps, what each takes and leaves, and the code that it reaches."""
