"""Infer the spec of a table: from its rows' counts, what the columns are and what is predicted."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from common.data.infer.decide import AMOUNTS, decide
from common.data.infer.doubt import needs_all
from common.data.infer.facts import Facts, choose_markers
from common.data.infer.label import LEAST_IN_ALL, Choice, check_markers, choose_label
from common.data.infer.naming import Names, find_place, name_columns
from common.data.infer.patterns import PAIRS, SAFE, WHOLE
from common.data.infer.rows import Opened, Part, open_rows, part_of
from common.data.infer.shown import looked_line, told_of
from common.data.infer.tally import kinds_as_counted, markers_of
from common.data.reading import BOOLEAN, CURRENCY, DOUBLE, PERCENT
from common.data.spec import (
    CATEGORY,
    IGNORED,
    LABEL_ROLE,
    NUMERIC,
    Column,
    DatasetSpec,
    default_role,
)
from common.data.spec_checks import check_spec
from common.data.spec_yaml import Given
from common.data.target import REGRESSION
from common.errors import UserError, first_and_last

# The smallest share of missing values that is written; a smaller one is still no zero.
LEAST_SHARE = 1e-6
# How a file of CSV is written.
WRITTEN = ("separator", "encoding", "decimal")
BY_USER = "dropped by the user"


@dataclass(frozen=True)
class Inferred:
    """The spec of a table, and what the user should know of how it was found.

    Attributes:
        spec: The spec.
        told: What the user should know, a line each.
        looked: Number of rows that were looked at; None if that was all.
        unseen: Markers of missing values that none of these rows has.
        known: What is nothing new in a column of amounts, percentages or booleans, unless the user says
            its type: kinds of value (see `tally`), or words.
    """

    spec: DatasetSpec
    told: tuple[str, ...]
    looked: int | None = None
    unseen: tuple[str, ...] = ()
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)


def infer(spark: SparkSession, uri: str, given: Given) -> DatasetSpec:
    """Infer the spec of a CSV or Parquet table; see `infer_table`."""
    return infer_table(spark, uri, given).spec


def infer_table(
    spark: SparkSession, uri: str, given: Given, also: Collection[int] | None = ()
) -> Inferred:
    """Infer what is not given of a table, from all its rows or, if it is large, from a part of them.

    Of a large table only the columns whose role depends on every row are counted over all; see `doubt`.

    Args:
        spark: The session.
        uri: A file or folder of CSV or Parquet.
        given: What the user says; it wins, for each key and for each key of a column.
        also: Hashes of rows that must be looked at; None for all rows.

    Raises:
        UserError: The table cannot be read, it has no column of a name that is given, or its label cannot
            be predicted.
    """
    try:
        opened = open_rows(spark, uri, given)
        names = name_columns(opened.file_names, opened.has_header, given)
        given = _resolved(given, names, opened, uri)
        markers = markers_of(given.missing)
        part = None if also is None else part_of(opened, also)
        found, looked = _count(opened, names, markers, given.label, part)
    except (Py4JJavaError, PySparkException) as error:
        raise UserError(f"{uri} cannot be read: {first_and_last(error)}") from None
    chosen = choose_markers(found) if given.missing is None else given.missing
    if given.missing is None:
        check_markers(next(one for one in found if one.name == given.label), chosen, found)
    facts = [one.without(chosen) for one in found]
    label = next(one for one in facts if one.name == given.label)
    if label.rows < LEAST_IN_ALL:
        raise UserError(f"{uri} {_too_few(label.rows, opened)}")
    _check_typed_label(label, given)
    choice = choose_label(label, given)
    columns = [_column(one, given, choice) for one in facts]
    _check_inputs(columns, opened.left_out)
    spec = _spec(given, columns, choice, chosen, opened, names)
    check_spec(spec)
    told = told_of(spec, label, choice, found, opened.dialect)
    if looked is not None:
        told = (looked_line(looked, label.rows, spec.label), *told)
    seen = {marker for one in found for marker in one.markers}
    unseen = tuple(marker for marker in SAFE if marker not in seen) if given.missing is None else ()
    told = (*told, *names.told, *opened.left_out)
    known = {
        column.name: _known(one, column.type)
        for one, column in zip(facts, columns, strict=True)
        if column.type in (BOOLEAN, CURRENCY, PERCENT)
        and "type" not in given.columns.get(column.name, {})
    }
    return Inferred(spec, told, looked, unseen, known)


def _known(facts: Facts, type: str) -> frozenset[str]:
    """Return what is nothing new in a column that reads more than inference takes for its type."""
    if type == BOOLEAN:
        words = {word.lower() for word in facts.values or ()}
        return frozenset(word for pair in PAIRS if words <= set(pair) for word in pair)
    # Plain numbers may stand beside amounts, but not beside percentages.
    return kinds_as_counted(facts) | (AMOUNTS if type == CURRENCY else frozenset())


def _count(
    opened: Opened, names: Names, markers: Sequence[str], label: str, part: Part | None
) -> tuple[list[Facts], int | None]:
    """Return the counts of all columns, and the number of rows that were looked at; None if all."""
    places = dict(enumerate(names.own))
    found = opened.count(places, markers, part)
    looked = max((one.rows for one in found.values()), default=0)
    if part is None:
        return list(found.values()), None
    if not opened.is_shown_by(part, looked, max((one.distinct for one in found.values()), default=0)):
        return list(opened.count(places, markers).values()), None
    open_questions = {
        place: name
        for place, name in places.items()
        if name == label or needs_all(found[place], opened.rows)
    }
    return list((found | opened.count(open_questions, markers)).values()), looked


def _resolved(given: Given, names: Names, opened: Opened, uri: str) -> Given:
    """Return what is given, with the data set's name for each column."""

    def own(name: str, key: str) -> str:
        try:
            return names.own[find_place(name, names.file, names.own, key, uri)]
        except UserError as error:
            left_out = [
                told for told in opened.left_out if told.startswith(f"column {name!r} is left out")
            ]
            why = f"{error}{_without_header(opened)}{_without_separator(opened, given)}"
            raise UserError("; ".join((why, *left_out))) from None

    def all_of(given_names: Iterable[str], key: str) -> tuple[str, ...]:
        return tuple(own(name, key) for name in given_names)

    label = own(given.label, "label")
    columns = {own(name, "columns"): keys for name, keys in given.columns.items()}
    strata = None if given.strata is None else all_of(given.strata, "strata")
    drop = all_of(given.drop, "drop")
    if label in drop or columns.get(label, {}).get("role") == IGNORED:
        raise UserError(f"label {label!r} is dropped: give another label, or keep the column")
    return replace(given, label=label, columns=columns, strata=strata, drop=drop)


def _too_few(rows: int, opened: Opened) -> str:
    has = f"has {rows} {'row' if rows == 1 else 'rows'}"
    if opened.dialect is not None and opened.rows >= LEAST_IN_ALL:
        # Its other lines were left out here; without a spec nobody can say what is wrong with which.
        has += (
            f" in {opened.rows:,} lines (a row has as many fields as the first, and no text between a "
            "closing quote and the next separator)"
        )
    return f"{has}: at least {LEAST_IN_ALL} are needed to train and test on"


def _without_header(opened: Opened) -> str:
    if opened.has_header or opened.dialect is None:
        return ""
    first = opened.dialect.first_record
    shown = first if len(first) <= 60 else first[:60] + "..."
    return f"; the first record, {shown!r}, was taken for a row, not for a header"


def _without_separator(opened: Opened, given: Given) -> str:
    if opened.dialect is None or opened.width > 1 or given.separator is not None:
        return ""
    return (
        "; no comma, semicolon, tab or bar separates its fields: if another character does, give it as "
        "separator in a data set's YAML"
    )


def _check_typed_label(label: Facts, given: Given) -> None:
    """Refuse classes that are stored as numbers with a fraction: the readers know no text of them."""
    kinds = label.kinds.keys()
    said = given.columns.get(label.name, {}).get("type")
    if not label.is_typed or DOUBLE not in kinds or not kinds <= {WHOLE, DOUBLE}:
        return
    seems = label.distinct == 2 and given.task is None and said is None
    if seems or given.task not in (None, REGRESSION):
        listed = ", ".join(sorted(label.values or ())[:5])
        raise UserError(
            f"label {label.name!r} is stored as floating-point numbers ({listed}): store classes as "
            "whole numbers or text, or give task=regression"
        )


def _column(facts: Facts, given: Given, choice: Choice) -> Column:
    keys = given.columns.get(facts.name, {})
    missing = max(round(facts.missing, 6), LEAST_SHARE) if facts.missing > 0 else 0.0
    if facts.name == given.label:
        why = f"{choice.task}: {choice.why}"
        return Column(facts.name, choice.type, LABEL_ROLE, missing, why, _unit(facts, choice.type, keys))
    decided = decide(facts)
    type, role = keys.get("type", decided.type), keys.get("role")
    why = decided.why
    if facts.name in given.drop:
        role, why = IGNORED, BY_USER
    elif role is None:
        role = decided.role
        # A type that is given decides what else the column can be.
        if type != decided.type and role in (NUMERIC, CATEGORY):
            role = default_role(type)
    if facts.name not in given.drop and keys.keys() & {"type", "role"}:
        why = f"{' and '.join(key for key in ('type', 'role') if key in keys)} given; {why}"
    return Column(facts.name, type, role, missing, why, _unit(facts, type, keys))


def _unit(facts: Facts, type: str, keys: Mapping[str, str]) -> str:
    """Return the currency of a column's amounts; of none or several it is not known."""
    if type != CURRENCY:
        return ""
    return keys.get("unit", "") or ("".join(facts.units) if len(facts.units) == 1 else "")


def _check_inputs(columns: Sequence[Column], left_out: Sequence[str]) -> None:
    if any(column.role in (NUMERIC, CATEGORY) for column in columns):
        return
    set_aside = [f"{c.name} ({c.why})" for c in columns if c.role != LABEL_ROLE]
    reasons = "; ".join((*set_aside, *left_out))
    raise UserError(
        f"no column is left to predict from: {reasons or 'the label is the only one'}; give a column's "
        "role under columns to keep it"
    )


def _spec(
    given: Given,
    columns: Sequence[Column],
    choice: Choice,
    markers: tuple[str, ...],
    opened: Opened,
    names: Names,
) -> DatasetSpec:
    dialect = opened.dialect
    written = {} if dialect is None else {key: getattr(dialect, key) for key in WRITTEN}
    optional = {
        key: getattr(given, key)
        for key in ("home", "sha256", "sample", "max_categories", *WRITTEN, "leave_out")
        if getattr(given, key) is not None
    }
    if markers or given.missing is not None:
        optional["missing"] = markers
    return DatasetSpec(
        name=given.name,
        columns=tuple(columns),
        label=given.label,
        labels=tuple(choice.counts),
        positive=choice.positive,
        strata=(given.label,) if given.strata is None else given.strata,
        task=choice.task,
        rename=names.rename,
        **{**written, **optional},
    )
