"""Read a data set whose spec may come from a part of its rows, and infer it again if others differ."""

from collections.abc import Sequence

from pyspark.sql import SparkSession

from common.data.infer import Found, find_again, surprise
from common.data.read import MOST_STRANGE, NotAsSaid, Source, read_source
from common.data.spec import DatasetSpec

# Times that a spec is inferred again with rows that it does not fit; then it is inferred from all.
TRIES = 3
# Changes of a spec that are told.
SHOWN = 5


def read_found(spark: SparkSession, found: Found) -> tuple[Found, Source]:
    """Read and validate a data set; see `read_source`.

    If a spec that was inferred from a part of the rows does not fit others, it is inferred again with
    these among those looked at. Rows that it does not fit even then are refused.

    Args:
        spark: The session.
        found: The spec, and the files.

    Returns:
        The spec that all rows fit, which says what was widened and why; and the rows.

    Raises:
        UserError: As `read_source` and `find_spec`.
    """
    also: frozenset[int] = frozenset()
    widened: tuple[str, ...] = ()
    for tried in range(TRIES + 1):
        if found.part is None:
            break
        read = _read(spark, found)
        also |= read.strange
        wider = found
        if read.strange:
            wider = find_again(spark, found, None if tried == TRIES else also)
        if not _changes(found.spec, wider.spec) and len(read.strange) == MOST_STRANGE:
            # Behind so many strange rows there may be others, of another kind.
            wider = find_again(spark, found, None)
        changes = _changes(found.spec, wider.spec)
        if not changes:
            if isinstance(read, NotAsSaid):
                raise read
            return found._replace(told=(*widened, *found.told)), read
        widened += (_told(changes, read),)
        found = wider
    return found._replace(told=(*widened, *found.told)), read_source(spark, found.spec, found.location)


def _read(spark: SparkSession, found: Found) -> Source | NotAsSaid:
    assert found.part is not None
    spec, (_, inferred) = found.spec, found.part
    try:
        return read_source(
            spark,
            spec,
            found.location,
            lambda table: surprise(table, spec, inferred.unseen, inferred.known),
        )
    except NotAsSaid as error:
        return error


def _changes(spec: DatasetSpec, wider: DatasetSpec) -> list[str]:
    """Return what differs between two specs of a table, in words."""
    found = [
        f"{new.name!r} is {new.type}, {new.role} ({new.why}), not {old.type}, {old.role}"
        for old, new in zip(spec.columns, wider.columns, strict=True)
        if (old.type, old.role) != (new.type, new.role)
    ]
    found += [
        f"amounts of {new.name!r} are in {new.unit or 'several currencies'}"
        for old, new in zip(spec.columns, wider.columns, strict=True)
        if old.type == new.type and old.unit != new.unit
    ]
    if more := [marker for marker in wider.missing if marker not in spec.missing]:
        found.append(f"{', '.join(more)} marks a missing value")
    return found


def _told(changes: Sequence[str], read: Source | NotAsSaid) -> str:
    strange = "digits after a zero, a mark of missing values, another currency, or a word"
    why = str(read) if isinstance(read, NotAsSaid) else strange
    more = f" and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
    return f"inferred again, with rows not looked at before: {'; '.join(changes[:SHOWN])}{more} ({why})"
