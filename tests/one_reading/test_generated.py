"""Records drawn by hypothesis: batch, service and Spark's pipeline score each the same, or none does."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from common.data.records import open_table
from common.machine.spark import file_uri
from common.scoring.batch import score_file
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
    """The probability of each record by the service, one request each; None if it refuses."""
    found = []
    for record in drawn:
        try:
            answer = json.loads(ways.serve((HEADER + record + "\n").encode()))["predictions"]
            found.append(answer[0]["probability"] if answer else None)
        except Refused as refused:
            # The service read it as one record.
            found.append(None if str(refused).startswith("row 1 of 1: ") else str(refused))
    return found


@pytest.fixture(scope="module")
def file(ways, drawn):
    path = ways.folder / "generated.csv"
    lines = [f"{place},{record}\n" for place, record in enumerate(drawn)]
    path.write_bytes(("id," + HEADER + "".join(lines)).encode())
    return path


def test_the_drawn_records_are_of_every_kind(drawn, served):
    assert len(drawn) > RECORDS * 0.6
    share = sum(probability is not None for probability in served) / len(served)
    assert 0.2 < share < 0.8
    assert len({probability for probability in served if probability is not None}) > 30
    assert sum("\n" in record for record in drawn) > 10
    assert [probability for probability in served if isinstance(probability, str)] == []


def test_batch_scores_what_the_service_scores_and_as_it_does(ways, spark, drawn, served, file):
    target = ways.folder / "generated"
    outcome = score_file(spark, ways.kept, file_uri(file), file_uri(target))
    rows = spark.read.parquet(file_uri(target)).select("id", "probability").collect()
    found = {int(row["id"]): row["probability"] for row in rows}
    expected = {place: score for place, score in enumerate(served) if score is not None}
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, abs=1e-9)
    assert outcome.rejected == len(drawn) - len(expected)


def test_sparks_pipeline_scores_what_training_reads_as_the_service_does(
    spark, shop, pipeline, served, file
):
    form = shop().form
    table = open_table(spark, file_uri(file), form)
    values = [table.cells[name].value.alias(name) for name in form.columns]
    rows = table.frame.where(table.good).select("id", *values)
    # Values that cannot be scaled are refused before a vectoriser is fitted.
    whole = rows.where(F.col("n").isNotNull() & F.col("price").isNotNull())
    positive = vector_to_array(F.col("probability"))[1].alias("probability")
    scored = pipeline.transform(whole.drop("bought")).select("id", positive).collect()
    found = {int(row["id"]): row["probability"] for row in scored}
    expected = {place: score for place, score in enumerate(served) if score is not None}
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, abs=1e-9)
