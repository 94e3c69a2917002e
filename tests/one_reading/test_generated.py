"""Records drawn by hypothesis: training, batch and service read each alike, or none does."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from common.data.records import open_table
from common.machine.spark_settings import file_uri
from tests.one_reading.conftest import HEADER, ITEMS, SIZES, Refused

RECORDS = 1200

# Characters that have a meaning to some reader, and any others.
CHARACTERS = st.sampled_from(list("\",;\\\n\r\t '#?0aEé性\u00a0\u2028\x0b\x85\x00𝄞"))
TEXTS = st.text(CHARACTERS, max_size=6) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
MARKERS = st.sampled_from(["", "?", "NA", "None", "null", "NaN", "nan", "true", "True", "FALSE", "#N/A"])
ODD_NUMBERS = st.text(st.sampled_from(list("0123456789+-.eE_dfx, ٣")), max_size=8)
INTEGERS = st.integers(-(2**65), 2**65).map(str) | st.integers(-9, 9).map(str)
DOUBLES = st.floats().map(repr) | st.floats(-100, 100).map(repr) | st.decimals(places=3).map(str)
CELLS = {
    "item": st.sampled_from(ITEMS) | TEXTS | MARKERS,
    "n": INTEGERS | INTEGERS | DOUBLES | ODD_NUMBERS | MARKERS | TEXTS,
    "price": DOUBLES | DOUBLES | INTEGERS | ODD_NUMBERS | MARKERS | TEXTS,
    "size": st.sampled_from(SIZES).map(str) | INTEGERS | ODD_NUMBERS | MARKERS,
}


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"'


# A cell as a CSV writer writes it, quoted unnecessarily, or with spaces around.
HOW = st.sampled_from([lambda cell: cell, quoted, lambda cell: f" {cell} "])


@st.composite
def records(draw):
    """A line of CSV as a writer writes it, or with unquoted text in its first cell."""
    if draw(st.integers(0, 9)) == 0:
        raw = draw(st.text(CHARACTERS.filter(lambda c: c not in '\n\r"'), max_size=20))
        return f"{raw},5,2.5,1,Yes"
    good = {"item": "x", "n": "5", "price": "2.5", "size": "1"}
    drawn = draw(st.sets(st.sampled_from(list(CELLS)), min_size=1))
    cells = [draw(CELLS[name]) if name in drawn else cell for name, cell in good.items()]
    how = draw(HOW)
    return ",".join(quoted(cell) if set(cell) & set('",\n\r') else how(cell) for cell in [*cells, "Yes"])


@pytest.fixture(scope="module")
def drawn():
    """Distinct records, the same on each run."""
    found = {}

    @settings(
        max_examples=RECORDS,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(records())
    def draw(record):
        found[record] = None

    draw()
    return list(found)


@pytest.fixture(scope="module")
def served(ways, drawn):
    """The row of each record by the service, one request each; what it says if it refuses."""
    found = []
    for record in drawn:
        try:
            found.append(next(iter(ways.served((HEADER + record + "\n").encode())), None))
        except Refused as refused:
            found.append(str(refused))
    return found


@pytest.fixture(scope="module")
def file(ways, drawn):
    path = ways.folder / "generated.csv"
    lines = [f"{place},{record}\n" for place, record in enumerate(drawn)]
    path.write_bytes(("id," + HEADER + "".join(lines)).encode())
    return path


def test_the_drawn_records_are_of_every_kind(drawn, served):
    assert len(drawn) > RECORDS * 0.6
    share = sum(isinstance(row, tuple) for row in served) / len(served)
    assert 0.2 < share < 0.8
    assert len({row for row in served if isinstance(row, tuple)}) > 30
    assert sum("\n" in record for record in drawn) > 10
    assert all(said.startswith("row 1 of 1: ") for said in served if isinstance(said, str))


@pytest.mark.parametrize("use", ["training", "batch"])
def test_spark_reads_what_the_service_reads_and_as_it_does(ways, spark, shop, drawn, served, file, use):
    form = shop().input_form if use == "batch" else shop().form
    table = open_table(spark, file_uri(file), form)
    names = list(shop().input_form.columns)
    values = [table.values[name].alias(name) for name in names]
    rows = table.frame.select(
        "id", *values, table.good.alias("good"), table.reason.alias("reason")
    ).collect()
    found = {
        int(row["id"]): tuple(row[name] for name in names)
        for row in rows
        # In training a number may be missing; only what prepares the columns looks after it.
        if row["good"] and row["n"] is not None and row["price"] is not None
    }
    expected = {place: row for place, row in enumerate(served) if isinstance(row, tuple)}
    assert repr(sorted(found.items())) == repr(sorted(expected.items()))
    assert all(row["good"] == (row["reason"] is None) for row in rows)
    if use == "batch":
        said = {
            place: row.removeprefix("row 1 of 1: ") for place, row in enumerate(served) if str(row) == row
        }
        reasons = {int(row["id"]): row["reason"] for row in rows if row["reason"]}
        # With the column `id` a line has one field more.
        counted = {place for place, reason in said.items() if reason.startswith("has ")}
        assert {place: why for place, why in reasons.items() if place not in counted} == {
            place: why for place, why in said.items() if place not in counted
        }
        assert reasons.keys() == said.keys()
