"""A spec, and how it was found, for the user to read."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from common.data.infer.dialect import Dialect
from common.data.infer.facts import Facts
from common.data.infer.label import Choice
from common.data.infer.naming import listing
from common.data.readable import readable
from common.data.reading import UTF8, encoding_name
from common.data.spec import CATEGORY, IGNORED, DatasetSpec
from common.data.spec_yaml import to_yaml
from common.data.target import REGRESSION
from common.errors import UserError, full_disk
from common.machine.whole_file import whole_file

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
# Labels, markers and columns that are listed on a line.
MOST = 10


def shown_spec(spec: DatasetSpec) -> str:
    """Return the columns of a spec as lines: column, type, role, missing % and why, in full."""
    lines = [
        (column.name, column.type, column.role, _percentage(column.missing), column.why)
        for column in spec.columns
    ]
    table = pd.DataFrame(lines, columns=["column", "type", "role", "missing %", "why"])
    return table.to_string(index=False, max_colwidth=None)


def _percentage(missing: float) -> float | str:
    """Return a share in percent; a small one is no zero, and one that is not all no hundred."""
    rounded = round(100 * missing, 2)
    if missing < 1 and rounded == 100:
        return ">99.99"
    return rounded or ("<0.01" if missing else 0.0)


def write_spec(spec: DatasetSpec, path: Path, overwrite: bool = False) -> None:
    """Write a spec as YAML, for the user to edit.

    Raises:
        UserError: The file's name is not one of YAML, or it exists and must not be overwritten, or cannot
            be written.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise UserError(f"output {str(path)!r} must end in .yaml or .yml")
    if path.exists() and not overwrite:
        raise UserError(f"output {str(path)!r} exists: choose another, or set overwrite=true")
    try:
        with whole_file(path) as part:
            part.write_text(to_yaml(spec), encoding="utf-8")
    except OSError as error:
        if full_disk(error):
            raise
        raise UserError(f"output {str(path)!r} cannot be written: {error.strerror}") from None


def told_of(
    spec: DatasetSpec, label: Facts, choice: Choice, found: Sequence[Facts], dialect: Dialect | None
) -> tuple[str, ...]:
    """Return what the user should know, a line each.

    Args:
        spec: The spec.
        label: The counts of the label's column.
        choice: What is predicted.
        found: The counts of all columns, before any marker was taken for a missing value.
        dialect: How the file is written; None for Parquet.
    """
    lines = [_label_line(label, choice)]
    without = label.rows - label.given
    if without:
        rows = "1 row has no label and is" if without == 1 else f"{without:,} rows have no label and are"
        lines.append(f"{rows} left out")
    lines += _missing_lines(spec, found)
    lines += _dialect_lines(dialect)
    ignored = [f"{column.name} ({column.why})" for column in spec.of_role(IGNORED)]
    if ignored:
        lines.append(f"set aside: {listing(ignored, MOST)}")
    categories = {column.name for column in spec.of_role(CATEGORY)}
    many = [one for one in found if one.name in categories and one.distinct > spec.max_categories]
    lines += [
        f"{one.name!r} has {'about ' if one.values is None else ''}{one.distinct:,} values: the "
        f"{spec.max_categories} most frequent get a feature each, the others share one"
        for one in many[:MOST]
    ]
    return tuple(lines)


def looked_line(looked: int, rows: int, label: str) -> str:
    """Say from how many of a table's rows its spec was inferred."""
    return (
        f"inferred from {looked:,} of {rows:,} rows; from all: the label {label!r}, and the columns that "
        "seemed constant, empty or unique"
    )


def _label_line(label: Facts, choice: Choice) -> str:
    if choice.task == REGRESSION:
        least, most = ("" if one is None else readable(float(one)) for one in (label.least, label.most))
        reach = f", {least} to {most}" if least and most else ""
        return f"label {label.name!r} is a number ({choice.why}{reach}): regression"
    counts = [
        f"{name} ({rows:,} rows{f', positive, {choice.because}' if name == choice.positive else ''})"
        for name, rows in choice.counts.items()
    ]
    return f"label {label.name!r} ({choice.why}): {choice.task}, {listing(counts, MOST)}"


def _missing_lines(spec: DatasetSpec, found: Sequence[Facts]) -> list[str]:
    used = {}
    for marker in spec.missing:
        there = {one.name: one.markers[marker] for one in found if marker in one.markers}
        if there:
            most = max(there, key=lambda name: there[name])
            used[marker] = f"{marker} ({sum(there.values()):,}, most in {most!r})"
    return [f"taken for missing values: {listing(used.values(), MOST)}"] if used else []


def _dialect_lines(dialect: Dialect | None) -> list[str]:
    if dialect is None:
        return []
    parts = []
    if dialect.separator != ",":
        parts.append(f"separated by {SEPARATORS.get(dialect.separator, repr(dialect.separator))}")
    if encoding_name(dialect.encoding) != UTF8:
        parts.append(f"in {encoding_name(dialect.encoding)}")
    if dialect.decimal != ".":
        parts.append("with a decimal comma")
    if not dialect.has_header:
        parts.append("without a header")
    return [f"the file is CSV {', '.join(parts)}"] if parts else []
