"""The tests."""

import os

# Threads of OpenMP and OpenBLAS spin while they wait for each other: beside another worker and its JVM, a
# fit of a second took a minute. The libraries look when they are loaded.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
