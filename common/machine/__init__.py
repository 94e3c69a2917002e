"""The machine: the Spark session, memory, processes, and files that are written atomically."""
