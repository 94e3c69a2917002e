"""MLflow's server, imported without what it imports only because it is installed."""

import importlib
import os
import sys
from pathlib import Path

# MLflow's name of the variable with the folder of the model to serve.
MODEL = "__pyfunc_model_path__"

# A portable model needs neither. MLflow imports them to know the types of other models' inputs.
NEVER = ("pyspark", "scipy")
# pandas imports it for its own types of columns; the model does, once it is asked for Parquet.
LATER = ("pyarrow",)
SERVER = ("mlflow.pyfunc.scoring_server", "onnxruntime", "fastapi", "uvicorn")


def is_portable(folder: str) -> bool:
    """Tell whether the model in a folder is one that this project exported, and can be served lean."""
    return Path(folder, "artifacts", "serving").is_dir()


def import_server() -> None:
    """Import what serves a portable model; a process that did cannot serve models of other kinds."""
    if SERVER[0] in sys.modules:
        return
    hidden = [name for name in (*NEVER, *LATER) if name not in sys.modules]
    # Python takes such a module for one that is not installed.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        for name in SERVER:
            importlib.import_module(name)
    finally:
        for name in set(hidden) & set(LATER):
            del sys.modules[name]


def model_to_serve() -> str:
    """Return the folder of the model to serve, with everything imported that it needs."""
    folder = os.environ[MODEL]
    if is_portable(folder):
        import_server()
    return folder
