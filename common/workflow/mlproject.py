"""Generate MLproject and docs/parameters.md from the declaration: `make mlproject`."""

from textwrap import fill

import yaml

from common import PROJECT, ROOT
from common.workflow.declaration import PARAMETERS, Parameter, as_text, entry_points, parameters_of

PATH, PAGE = ROOT / "MLproject", ROOT / "docs" / "parameters.md"
HEAD = f"""\
# Made by `make mlproject` from common/workflow/declaration.py: change it there.
name: {PROJECT}

conda_env: conda.yaml

entry_points:
"""
PAGE_HEAD = """\
# Parameters

Made by `make mlproject` from [the declaration](../common/workflow/declaration.py): change it there.
Give them as `-P name=value` to `mlflow run`; those of main also as `name=value` to `make main`.

| parameter | default | steps | meaning |
|---|---|---|---|
"""
WIDTH = 98


def mlproject() -> str:
    """Return the text of MLproject."""
    return HEAD + "\n".join(_entry_point(name) for name in entry_points())


def parameters_page() -> str:
    """Return the text of docs/parameters.md: a table of all parameters."""
    return PAGE_HEAD + "".join(_row(parameter) for parameter in PARAMETERS)


def _row(parameter: Parameter) -> str:
    default = "required" if parameter.default is None else f"`{as_text(parameter.default)}`"
    values = f" One of {', '.join(f'`{one}`' for one in parameter.choices)}." if parameter.choices else ""
    cells = [f"`{parameter.name}`", default, ", ".join(parameter.steps), parameter.help + values]
    return f"| {' | '.join(cells)} |\n"


def _entry_point(name: str) -> str:
    declared = parameters_of(name)
    lines = [f"  {name}:", "    parameters:"]
    for parameter in declared:
        content = {"type": "string"}
        if parameter.default is not None:
            content["default"] = as_text(parameter.default)
        flow = yaml.safe_dump(content, default_flow_style=True, sort_keys=False, width=10**4).strip()
        lines.append(f"      {parameter.name}: {flow}")
    passed = [f"{one.flag} {{{one.name}}}" for one in declared]
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
    PAGE.write_text(parameters_page(), encoding="utf-8")
