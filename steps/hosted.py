"""What a host imports: main, the steps that it runs, and what MLflow imports to open a database.

The latter is half a second of each step.
"""

from importlib import import_module

from common.store import tracking
from common.workflow.declaration import CHAIN, MAIN

DATABASE = ("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store")

for module in (
    *(f"steps.{step}" for step in (MAIN, *CHAIN)),
    *(DATABASE if tracking.is_database() else ()),
):
    import_module(module)
