"""One module an entry point: a command that resolves inputs, calls the library, and logs."""
