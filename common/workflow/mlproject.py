"""Generate MLproject from the declaration: python -m common.workflow.mlproject, or `make mlproject`."""

from pathlib import Path
from textwrap import fill

import yaml

from common.workflow.declaration import as_text, entry_points, parameters_of

PATH = Path(__file__).parents[2] / "MLproject"
HEAD = """\
# Made by `make mlproject` from common/workflow/declaration.py: change it there.
name: income

conda_env: conda.yaml

entry_points:
"""
WIDTH = 98


def mlproject() -> str:
    """Return the text of MLproject."""
    return HEAD + "\n".join(_entry_point(name) for name in entry_points())


def _entry_point(name: str) -> str:
    declared = parameters_of(name)
    lines = [f"  {name}:", "    parameters:"]
    for parameter in declared:
        content = {"type": "string"}
        if parameter.default is not None:
            content["default"] = as_text(parameter.default)
        flow = yaml.safe_dump(content, default_flow_style=True, sort_keys=False, width=10**4).strip()
        lines.append(f"      {parameter.name}: {flow}")
    passed = [f"--{one.name.replace('_', '-')} {{{one.name}}}" for one in declared]
    # Keeps an option on the same line as its value.
    parts = [part.replace(" ", "\0") for part in (f"python -m steps.{name}", *passed)]
    command = fill(
        " ".join(parts),
        WIDTH,
        initial_indent=" " * 6,
        subsequent_indent=" " * 6,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([*lines, "    command: >-", command.replace("\0", " "), ""])


if __name__ == "__main__":
    PATH.write_text(mlproject(), encoding="utf-8")
