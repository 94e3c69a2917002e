"""One module per entry point: a command that resolves inputs, calls the library, and logs."""

import os
import sys
from importlib.util import find_spec

from common.machine.ending import abort_quietly
from common.machine.host_client import hand_over

hand_over()
abort_quietly()

# Import names of the required packages.
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
    "prometheus_client",
    "psutil",
    "py4j",
    "pyarrow",
    "pyspark",
    "requests",
    "scipy",
    "sqlalchemy",
    "tqdm",
    "urllib3",
    "uvicorn",
    "xgboost",
    "yaml",
)

# `mlflow run --env-manager local` uses the first Python on the PATH, not the one that runs mlflow.
lacking = [name for name in PACKAGES if not find_spec(name)]
if lacking:
    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    sys.exit(
        f"Error: {sys.executable} lacks {', '.join(lacking[:3])}{more} of requirements.txt: use make, "
        'or run make setup and then PATH=".venv/bin:$PATH" mlflow run ... --env-manager local'
    )

# Many shells set PYTHONPATH, which goes before the environment, to the Python of another Spark.
if os.environ.get("PYTHONPATH") and (spark := find_spec("pyspark")):
    from importlib.metadata import distribution

    own = distribution("pyspark").locate_file("pyspark/__init__.py")
    if spark.origin != str(own):
        sys.exit(
            f"Error: PYTHONPATH {os.environ['PYTHONPATH']!r} has another pyspark than requirements.txt, "
            f"{spark.origin}: unset PYTHONPATH"
        )

if sys.orig_argv[1:3] == ["-m", "steps.main"]:
    from common.machine import step_host

    # Beside the imports of this process, which take as long.
    step_host.begin()
