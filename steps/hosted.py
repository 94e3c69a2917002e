"""What a host imports: main, the steps that it runs, and what MLflow imports to open a database.

The latter is half a second of each step.
"""

from common.store import tracking
from common.workflow.declaration import CHAIN, MAIN

DATABASE = ("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store")

FIRST = (f"steps.{MAIN}", *(DATABASE if tracking.is_database() else ()))
# Main begins before these are imported.
LATER = tuple(f"steps.{step}" for step in CHAIN)
