"""What a part of a table's rows cannot tell: which columns to count over all, and what to look for."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from common.data.infer.decide import LEAST_NUMBERS, MUCH, VARIED, as_read, is_named_id, value_type
from common.data.infer.facts import Facts
from common.data.infer.tally import kind_of_text
from common.data.reading import BLANKS, BOOLEAN, DOUBLE, INTEGER, TEXT
from common.data.records import Table, all_of
from common.data.row_hash import quoted
from common.data.spec import CATEGORY, DatasetSpec

ZEROS = r"\A0[0-9]+\z"


def needs_all(facts: Facts, rows: int) -> bool:
    """Return whether a column's role depends on rows that were not looked at.

    So it does if it seems empty or nearly so, constant, or to have about as many values as rows. The
    other way round a part is enough: what is not so in some of the rows is not so in all.

    Args:
        facts: Its counts in a part of the rows.
        rows: Number of all rows.
    """
    facts = facts.without(facts.markers)
    type, _ = value_type(facts)
    if not facts.given or as_read(facts, type).distinct == 1:
        return True
    if facts.given < LEAST_NUMBERS and facts.missing >= MUCH:
        return True
    if type == TEXT:
        return facts.distinct >= VARIED * facts.given
    if type != INTEGER or not facts.is_unique:
        return False
    # An index counts the rows.
    is_index = facts.given == facts.rows and facts.least is not None and facts.least >= 0
    return is_named_id(facts.name) or (is_index and (facts.most or 0) <= rows)


def surprise(
    table: Table, spec: DatasetSpec, unseen: Sequence[str], known: Mapping[str, Collection[str]]
) -> Column:
    """Return whether a record, though it can be read, has what would have changed the inference.

    Any other value that is not as inferred is one that cannot be read.

    Args:
        table: The records.
        spec: The spec, inferred from a part of them.
        unseen: Markers of missing values that none of these had.
        known: The kinds of value, or a boolean's words, that are nothing new, by column.
    """
    found = list(_surprises(table, spec, unseen, known))
    return ~all_of([~F.coalesce(one, F.lit(False)) for one in found]) if found else F.lit(False)


def _surprises(
    table: Table, spec: DatasetSpec, unseen: Sequence[str], known: Mapping[str, Collection[str]]
) -> Iterator[Column]:
    for column in spec.columns:
        if column.type == TEXT and column.role == CATEGORY and unseen:
            yield table.values[column.name].isin(*unseen)
        if column.type in (INTEGER, DOUBLE) and table.is_csv:
            # Digits after a leading zero are a code, but read as a number. The first test is cheap.
            text = quoted(table.columns[column.name])
            yield text.startswith("0") & text.rlike(ZEROS)
        if column.name in known and table.is_text(column.name):
            # An amount is read whatever its currency, a percentage without its sign, and true as yes.
            text = F.trim(quoted(table.columns[column.name]), F.lit(BLANKS))
            what = F.lower(text) if column.type == BOOLEAN else kind_of_text(text, spec.decimal, ())
            yield table.values[column.name].isNotNull() & ~what.isin(*known[column.name])
