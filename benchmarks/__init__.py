"""The benchmarks behind the figures in the documents; most modules are commands."""
