"""All that knows MLflow's store: runs, artifacts, the registry, and steps that are got or run."""
