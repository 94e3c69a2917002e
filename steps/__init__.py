"""One module per entry point: a command that resolves inputs, calls the library, and logs."""

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from common import ROOT
from common.machine.ending import abort_quietly
from common.machine.host_client import hand_over

abort_quietly()
hand_over()

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
if os.environ.get("PYTHONPATH") and (spark := find_spec("pyspark")) and spark.origin:
    pins, version = ROOT / "requirements.txt", Path(spark.origin).with_name("version.py")
    pin = re.search(r"^pyspark==(\S+)", pins.read_text(), re.MULTILINE)
    has = re.search(r"= *['\"](.+)['\"]", version.read_text()) if version.is_file() else None
    if not pin or not has or pin[1] != has[1]:
        sys.exit(
            f"Error: PYTHONPATH {os.environ['PYTHONPATH']!r} has another pyspark than requirements.txt, "
            f"{spark.origin}: unset PYTHONPATH"
        )

if sys.orig_argv[1:3] == ["-m", "steps.main"]:
    from common.machine import step_host

    # Beside the imports of this process, which take as long.
    step_host.begin()
