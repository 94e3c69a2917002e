"""Reporting of a benchmark: a table on the terminal, and JSON with the machine's data under results/."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pandas as pd
import psutil

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Return the hardware and the package versions that the figures were measured with."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor()
    packages = ("pyspark", "xgboost-cpu", "scikit-learn", "optuna", "mlflow")
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "date": date.today().isoformat(),
    }


def report(name: str, rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
    """Print a benchmark's result and write it under results/.

    Args:
        name: Name of the file, without extension.
        rows: Rows of the table.
        facts: Conclusions from the table: value by description.
    """
    show(rows, facts)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"machine": machine(), "rows": rows, "facts": facts}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def show(rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
    """Print a benchmark's result, and write nothing; see `report`."""
    click.echo(f"\n{pd.DataFrame(rows).to_string(index=False, na_rep='')}\n")
    for what, value in facts.items():
        click.echo(f"{what}: {value}")
