"""One module an entry point: a command that resolves inputs, calls the library, and logs."""

import sys
from importlib.util import find_spec

# By the names that they are imported by.
PACKAGES = (
    "PIL",
    "click",
    "data_profiling",
    "jinja2",
    "markdown_it",
    "markupsafe",
    "matplotlib",
    "mlflow",
    "numpy",
    "onnx",
    "onnxruntime",
    "optuna",
    "pandas",
    "plotly",
    "psutil",
    "py4j",
    "pyarrow",
    "pyspark",
    "requests",
    "scipy",
    "sqlalchemy",
    "tqdm",
    "urllib3",
    "xgboost",
    "yaml",
)

# `mlflow run --env-manager local` takes the PATH's Python, whichever has mlflow itself.
lacking = [name for name in PACKAGES if not find_spec(name)]
if lacking:
    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    sys.exit(
        f"Error: {sys.executable} lacks {', '.join(lacking[:3])}{more} of requirements.txt: take make, "
        'or after make setup PATH=".venv/bin:$PATH" mlflow run ... --env-manager local'
    )
