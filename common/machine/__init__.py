"""The machine under the work: Spark's session, memory, processes, and files that appear whole."""
