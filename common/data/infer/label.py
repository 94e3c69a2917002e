"""The label: what is predicted, the labels and their order, and what makes a column no label."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from common.data.infer.decide import value_type
from common.data.infer.facts import TEXTS, Facts
from common.data.infer.naming import listing
from common.data.infer.patterns import DOUBTFUL, WHOLE
from common.data.infer.positive import find_positive, number_of
from common.data.infer.spelling import check_spelling
from common.data.reading import (
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    PERCENT,
    TEXT,
    TIMESTAMP,
    boolean_text,
    plain_text,
)
from common.data.spec_yaml import Given
from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.errors import UserError

MOST_LABELS = 100
# Whole numbers are classes if there are few, each of several rows on average.
MOST_NUMBERS, LEAST_ROWS = 20, 5
# Labels that are listed in a message.
SHOWN_LABELS = 10
# Whole numbers of a range are at least so many, and at least one in so many of those between its ends.
LEAST_OF_RANGE, RANGE = 4, 2
# Rows that a label needs, one for each side of a split; and rows in all.
LEAST_OF_A_LABEL, LEAST_IN_ALL = 2, 10
NUMBERS = (INTEGER, DOUBLE, PERCENT, CURRENCY)


@dataclass(frozen=True)
class Choice:
    """What is predicted, and why.

    Attributes:
        task: BINARY, MULTICLASS or REGRESSION.
        type: The type of the label's column.
        why: The reason for the task.
        counts: Number of rows of each label, in the labels' order; empty for REGRESSION.
        positive: The second of two labels; empty if there are not two.
        because: The reason for the positive one.
    """

    task: str
    type: str
    why: str
    counts: Mapping[str, int]
    positive: str = ""
    because: str = ""


def choose_label(facts: Facts, given: Given) -> Choice:
    """Decide what is predicted.

    Args:
        facts: The counts of the label's column.
        given: What the user says: task, labels, positive, and the column's type.

    Raises:
        UserError: The column is no label, or what is given does not fit it.
    """
    name = facts.name
    said = given.columns.get(given.label, {}).get("type")
    type = said or value_type(facts)[0]
    _check_column(facts, type)
    counts = None if facts.values is None else _plain_counts(facts.values, said == BOOLEAN)
    counts = _without(counts, given.leave_out or (), name)
    task, why = _task(facts, counts, type, given)
    if task == REGRESSION:
        if given.positive is not None:
            raise UserError(f"positive {given.positive!r} does not fit: label {name!r} is a number")
        return Choice(task, type, why, {})
    assert counts is not None
    if given.labels is None:
        check_spelling(name, counts)
    order = _order(counts, given, name)
    counts = {label: counts[label] for label in order}
    _check_rows(name, counts, type in NUMBERS and given.task is None)
    kind = BOOLEAN if said == BOOLEAN else TEXT
    if task == MULTICLASS:
        if given.positive is not None:
            raise UserError(
                f"positive {given.positive!r} needs a label with 2 values; {name!r} has {len(counts)}"
            )
        return Choice(task, kind, why, counts)
    positive, because = find_positive(counts, given, name)
    ordered = sorted(counts, key=lambda label: label == positive)
    return Choice(task, kind, why, {label: counts[label] for label in ordered}, positive, because)


def _without(counts: dict[str, int] | None, left_out: Sequence[str], name: str) -> dict[str, int] | None:
    if counts is None:
        return None
    for label in left_out:
        if label not in counts:
            raise UserError(f"leave_out names {label!r}, which is no value of label {name!r}")
    return {label: rows for label, rows in counts.items() if label not in left_out}


def _check_rows(name: str, counts: Mapping[str, int], may_be_number: bool) -> None:
    """Refuse labels of so few rows that one side of a split has none."""
    rare = [label for label, rows in counts.items() if rows < LEAST_OF_A_LABEL]
    if not rare:
        return
    what = repr(rare[0]) if len(rare) == 1 else f"{len(rare)} values such as {rare[0]!r}"
    some = json.dumps(rare[:SHOWN_LABELS], ensure_ascii=False)
    more = " and so on" if len(rare) > SHOWN_LABELS else ""
    number = f", or give task={REGRESSION}" if may_be_number else ""
    raise UserError(
        f"label {name!r} has {what} in only 1 row{' each' if len(rare) > 1 else ''}: leave such rows out "
        f"by leave_out: {some}{more} in a data set's YAML, or merge the class with another{number}"
    )


def _check_column(facts: Facts, type: str) -> None:
    name = facts.name
    if not facts.given:
        raise UserError(f"label {name!r} has no values: give the column to predict")
    if facts.given < LEAST_IN_ALL:
        raise UserError(
            f"label {name!r} has a value in only {facts.given:,} of {facts.rows:,} rows: at least "
            f"{LEAST_IN_ALL} are needed"
        )
    if facts.distinct == 1:
        only = next(iter(facts.values or {}), "")
        raise UserError(f"label {name!r} is {only!r} in every row: give a column with at least 2 values")
    if type in (DATE, TIMESTAMP):
        raise UserError(
            f"label {name!r} is a date: give a label with 2 to {MOST_LABELS} values, or a number"
        )


def _task(facts: Facts, counts: Mapping[str, int] | None, type: str, given: Given) -> tuple[str, str]:
    distinct = facts.distinct if counts is None else len(counts)
    if given.task == REGRESSION:
        if type not in NUMBERS:
            _check_words(facts, counts)
            raise UserError(
                f"task 'regression' does not fit: label {facts.name!r} has texts such as "
                f"{_example(facts)!r}; give {BINARY if distinct == 2 else MULTICLASS}, or auto"
            )
        return REGRESSION, "as given"
    if given.task is not None:
        _check_task(facts, counts, distinct, type, given.task)
        return given.task, "as given"
    if type in NUMBERS:
        task, why = _number_task(facts, distinct, type, {} if given.labels else counts or {})
    else:
        if given.labels is None and "type" not in given.columns.get(given.label, {}):
            _check_words(facts, counts)
        _check_classes(facts, counts, distinct)
        task, why = (BINARY if distinct == 2 else MULTICLASS), f"text, {distinct} values"
    return task, why


def _number_task(facts: Facts, distinct: int, type: str, counts: Mapping[str, int]) -> tuple[str, str]:
    whole = facts.kinds.keys() <= {INTEGER, WHOLE}
    if distinct == 2 and type in (INTEGER, DOUBLE):
        return BINARY, "numbers, 2 values"
    if whole and distinct <= MOST_NUMBERS and facts.given >= LEAST_ROWS * distinct:
        rare = [label for label, rows in counts.items() if rows < LEAST_OF_A_LABEL]
        if rare and _is_range(counts):
            return REGRESSION, f"whole numbers, {rare[0]} in only {counts[rare[0]]} row"
        return MULTICLASS, f"whole numbers, only {distinct} values"
    return REGRESSION, "whole numbers, many values" if whole else "numbers"


def _is_range(counts: Mapping[str, int]) -> bool:
    """Return whether labels are most of the whole numbers of a range: counts, grades, inches."""
    numbers = [number for label in counts if (number := number_of(label)) is not None]
    return len(numbers) >= LEAST_OF_RANGE and max(numbers) - min(numbers) < RANGE * len(numbers)


def _check_words(facts: Facts, counts: Mapping[str, int] | None) -> None:
    """Refuse words among numbers that would be predicted as such, which they would make classes.

    What has a digit is no word: numbers may stand among codes such as V57.
    """
    kinds = {kind: rows for kind, rows in facts.kinds.items() if kind not in TEXTS}
    numbers = replace(facts, kinds=kinds)
    words = {label: rows for label, rows in (counts or {}).items() if not re.search("[0-9]", label)}
    texts = facts.given - numbers.given
    if counts is not None and sum(words.values()) < texts:
        return
    type, _ = value_type(numbers)
    if facts.is_typed or type not in NUMBERS or texts > numbers.given:
        return
    others = {label: rows for label, rows in (counts or {}).items() if label not in words}
    if counts is None or _number_task(numbers, len(others), type, others)[0] == REGRESSION:
        raise UserError(
            f"label {facts.name!r} is a number in {numbers.given:,} rows, but {_example(facts)!r} or "
            f"another text in {texts:,}: list what means a missing value under missing, or give "
            f"task={MULTICLASS}"
        )


def _check_task(
    facts: Facts, counts: Mapping[str, int] | None, distinct: int, type: str, task: str
) -> None:
    if counts is None and type in NUMBERS:
        raise UserError(
            f"task {task!r} does not fit: label {facts.name!r} is a number of about {distinct:,} values: "
            f"give {REGRESSION}, or auto"
        )
    _check_classes(facts, counts, distinct)
    if task == BINARY and distinct != 2:
        raise UserError(
            f"task 'binary' needs a label with 2 values; {facts.name!r} has {distinct} "
            f"({listing(counts or (), 5)}): give multiclass"
        )
    if task == MULTICLASS and distinct == 2:
        raise UserError(f"task 'multiclass' needs 3 or more values; {facts.name!r} has 2: give binary")


def _check_classes(facts: Facts, counts: Mapping[str, int] | None, distinct: int) -> None:
    """Refuse a label whose values are too many, or hardly repeat."""
    if counts is None or distinct > MOST_LABELS or facts.given < 2 * distinct:
        about = "" if counts is not None else "about "
        may = f"a label with 2 to {MOST_LABELS} values, or a number"
        what = f"it looks like an identifier or free text; give {may}"
        if facts.is_typed and number_of(facts.example or "") is not None:
            what = "the file stores it as text; to predict a number, store numbers"
        raise UserError(
            f"label {facts.name!r} has {about}{distinct:,} values in {facts.given:,} rows, such as "
            f"{_example(facts)!r}: {what}"
        )


def _example(facts: Facts) -> str:
    text = facts.example or next(iter(facts.values or {}), "")
    return text if len(text) <= 40 else text[:40] + "..."


def _plain_counts(values: Mapping[str, int], is_boolean: bool) -> dict[str, int]:
    """Return the counts by label, as the readers spell it."""
    found: dict[str, int] = {}
    for text, rows in values.items():
        label = plain_text(text)
        if is_boolean:
            label = boolean_text(label) or label
        found[label] = found.get(label, 0) + rows
    return found


def check_markers(label: Facts, chosen: Sequence[str], found: Sequence[Facts]) -> None:
    """Refuse a text as label that marks a missing value only in another column, and may be a class.

    Args:
        label: The counts of the label's column, before any marker was taken for a missing value.
        chosen: The markers of the table, as inferred.
        found: The counts of all columns, likewise.

    Raises:
        UserError: There is such a text.
    """
    for marker in label.markers:
        if marker not in chosen or marker not in DOUBTFUL or not label.is_textual:
            continue
        other = next(one.name for one in found if marker in one.markers and not one.is_textual)
        raise UserError(
            f"label {label.name!r} has {marker!r} in {label.markers[marker]:,} rows, which marks a "
            f"missing value in {other!r}: write it otherwise if it is a class, else leave these rows out"
        )


def _order(counts: Mapping[str, int], given: Given, name: str) -> list[str]:
    if given.labels is not None:
        for label, rows in counts.items():
            if label not in given.labels:
                raise UserError(
                    f"labels {', '.join(given.labels)} lack {label!r} ({rows:,} rows of {name!r})"
                )
        for label in given.labels:
            if label not in counts:
                raise UserError(
                    f"labels name {label!r}, which does not occur in {name!r}: it has {listing(counts)}"
                )
        return list(given.labels)
    numbers = {label: number_of(label) for label in counts}
    if None in numbers.values():
        return sorted(counts)
    return sorted(counts, key=lambda label: numbers[label] or 0.0)
