"""Everything that uses the MLflow store: runs, artifacts, the model registry, and get-or-run."""
