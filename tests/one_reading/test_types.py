"""Parquet of every physical type, and JSON: what a value is does not depend on the file it is in."""

import datetime
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.one_reading.conftest import JSON, PARQUET, Refused

GOOD = {"item": ["x"], "n": [5], "price": [2.5], "size": [1], "bought": ["Yes"]}
DAY = datetime.date(2024, 2, 29)
NUMBERS = r"expected numbers|expected a (whole|finite) number"
TEXTS = "expected text"

# A column of Parquet: its name, the typed values, and what they become or the message.
TYPED = {
    "boolean as a text": ("item", pa.array([True, False]), ["true", "false"]),
    "boolean beside a null": ("item", pa.array([True, None]), ["true", None]),
    "text of a boolean": ("item", pa.array(["True", "FALSE"]), ["true", "false"]),
    "text with spaces": ("item", pa.array([" a ", " "]), ["a", None]),
    "text with a line break": ("item", pa.array(["over\nlines", 'a"b']), ["over\nlines", 'a"b']),
    "empty text": ("item", pa.array(["", None]), [None, None]),
    "text that marks a missing one": ("item", pa.array([" ? ", "??"]), [None, "??"]),
    "text that names a null": ("item", pa.array(["NA", "None"]), ["NA", "None"]),
    "dictionary of texts": ("item", pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
    "large text": ("item", pa.array(["a", None], pa.large_string()), ["a", None]),
    "integer as a text": ("item", pa.array([5, -7], pa.int32()), ["5", "-7"]),
    "integer as a text, beside a null": ("item", pa.array([2**53 + 1, None]), [str(2**53 + 1), None]),
    "day as a text": ("item", pa.array([DAY, None]), ["2024-02-29", None]),
    "nothing as a text": ("item", pa.array([None, None], pa.null()), [None, None]),
    "double as a text": ("item", pa.array([5.0, -0.0]), ["5", "0"]),
    "double as a text, beside a null": ("item", pa.array([2.0**53, None]), [str(2**53), None]),
    "double as a text, beside none": ("item", pa.array([float("nan"), -7.0]), [None, "-7"]),
    "single as a text": ("item", pa.array([16777216.0, None], pa.float32()), ["16777216", None]),
    "decimal as a text": ("item", pa.array([Decimal("5.0"), Decimal("-7.0")]), ["5", "-7"]),
    "double with a fraction as a text": ("item", pa.array([5.5, 6.0]), TEXTS),
    "decimal with a fraction as a text": ("item", pa.array([Decimal("5.0"), Decimal("5.5")]), TEXTS),
    "infinite as a text": ("item", pa.array([float("inf"), 6.0]), TEXTS),
    "double beyond 64 bits as a text": ("item", pa.array([1e300, 6.0]), TEXTS),
    "largest double as a text": ("item", pa.array([2.0**63, 6.0]), TEXTS),
    "decimal without places as a text": ("item", pa.array([Decimal("5"), None]), ["5", None]),
    "largest as a text": ("item", pa.array([2**64 - 1, None], pa.uint64()), [str(2**64 - 1), None]),
    "time as a text": ("item", pa.array([datetime.datetime(2024, 2, 29)] * 2), TEXTS),
    "bytes as a text": ("item", pa.array([b"a", b"b"]), TEXTS),
    "list as a text": ("item", pa.array([["a"], ["b"]]), TEXTS),
    **{
        f"{kind} as a whole number": ("n", pa.array([5, 100], kind), [5, 100])
        for kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint64(), pa.float32())
    },
    "decimal as a whole number": ("n", pa.array([Decimal("5.00"), Decimal("7.00")]), [5, 7]),
    "largest as a whole number": ("n", pa.array([2**63 - 1, 2**53 + 1]), [2**63 - 1, 2**53 + 1]),
    "decimal that is not whole": ("n", pa.array([Decimal("5.5"), Decimal("7.0")]), NUMBERS),
    "double that is not whole": ("n", pa.array([5.5, 7.0]), NUMBERS),
    "infinite as a whole number": ("n", pa.array([float("inf"), 7.0]), NUMBERS),
    "least as a whole number": ("n", pa.array([-(2**63), 7]), NUMBERS),
    "beyond 64 bits": ("n", pa.array([2**64 - 1, 7], pa.uint64()), NUMBERS),
    "text as a whole number": ("n", pa.array(["5", "7"]), NUMBERS),
    "boolean as a whole number": ("n", pa.array([True, False]), NUMBERS),
    "time as a whole number": ("n", pa.array([datetime.datetime(2024, 2, 29)] * 2), NUMBERS),
    "single as a number": ("price", pa.array([0.1, 0.5], pa.float32()), [0.10000000149011612, 0.5]),
    "decimal as a number": ("price", pa.array([Decimal("0.1"), Decimal("0.3")]), [0.1, 0.3]),
    "integer as a number": ("price", pa.array([2**53 + 1, 2], pa.int64()), [2.0**53, 2.0]),
    "infinite as a number": ("price", pa.array([float("-inf"), 1.0]), NUMBERS),
    "category that is missing": ("size", pa.array([None, 2]), [None, 2]),
    "category that is NaN": ("size", pa.array([float("nan"), 2.0]), [None, 2]),
    "category that is marked": ("size", pa.array(["?", " "]), [None, None]),
    "category that is a text": ("size", pa.array(["?", "2"]), NUMBERS),
    "category of nothing": ("size", pa.array([None, None], pa.null()), [None, None]),
}


@pytest.mark.parametrize("name", TYPED)
def test_parquet_is_the_same_to_training_batch_and_service(ways, name):
    column, array, expected = TYPED[name]
    table = pa.table({**{key: values * 2 for key, values in GOOD.items()}, column: array})
    path = ways.folder / f"{list(TYPED).index(name)}.parquet"
    pq.write_table(table, path)
    content = path.read_bytes()
    if isinstance(expected, str):
        for way, source in ((ways.train, path), (ways.batch, path)):
            with pytest.raises(Refused, match=expected):
                way(source)
        with pytest.raises(Refused, match=expected):
            ways.served(content, PARQUET)
        return
    rows = [
        tuple({**{key: values[0] for key, values in GOOD.items()}, column: value}.values())[:4]
        for value in expected
    ]
    assert ways.served(content, PARQUET) == rows
    assert repr(ways.batch(path)) == repr(rows)
    assert repr(ways.train(path)) == repr(rows)


def test_number_that_is_missing_is_for_training_to_fill_and_for_no_model(ways):
    path = ways.folder / "missing.parquet"
    pq.write_table(pa.table({**GOOD, "price": pa.array([float("nan")])}), path)
    assert ways.train(path) == [("x", 5, None, 1)]
    for way, source in ((ways.batch, (path,)), (ways.served, (path.read_bytes(), PARQUET))):
        with pytest.raises(Refused, match="column 'price' is null, expected a finite number"):
            way(*source)


def test_parquet_has_its_columns_in_any_order_and_case(ways):
    path = ways.folder / "case.parquet"
    turned = {name.upper(): values for name, values in reversed(GOOD.items())}
    pq.write_table(pa.table({**turned, "more": [1]}), path)
    expected = [("x", 5, 2.5, 1)]
    assert ways.train(path) == ways.batch(path) == expected
    assert ways.served(path.read_bytes(), PARQUET) == expected
    pq.write_table(pa.table({name: values for name, values in turned.items() if name != "SIZE"}), path)
    for way, source in (
        (ways.train, (path,)),
        (ways.batch, (path,)),
        (ways.served, (path.read_bytes(), PARQUET)),
    ):
        with pytest.raises(Refused, match="has no column 'size'"):
            way(*source)


# Values in JSON, and the same in CSV.
SAME = {
    "NA": ("item", "NA", "NA"),
    "None": ("item", "None", "None"),
    "boolean": ("item", True, "True"),
    "integer as a text": ("item", 5, "5"),
    "whole number as a text": ("item", 5.0, "5"),
    "spaces": ("item", " a ", " a "),
    "nothing": ("item", None, ""),
    "empty": ("item", "", '""'),
    "whole number": ("n", 5.0, "5.0"),
    "category that is missing": ("size", None, ""),
    "category that is marked": ("size", "?", "?"),
    "category that is empty": ("size", "", ""),
    "text that is marked": ("item", "?", "?"),
    "large whole number": ("n", 2**53 + 1, str(2**53 + 1)),
}


@pytest.mark.parametrize("name", SAME)
def test_json_is_read_as_csv_is(ways, name):
    column, value, cell = SAME[name]
    record = {key: values[0] for key, values in GOOD.items()}
    of_json = json.dumps({"dataframe_records": [{**record, column: value}]}).encode()
    cells = {**{key: str(given) for key, given in record.items()}, column: cell}
    of_csv = "\n".join([",".join(cells), ",".join(cells.values()), ""]).encode()
    assert ways.served(of_json, JSON) == ways.served(of_csv)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("item", 5.5),
        ("item", float("inf")),
        ("item", ["a"]),
        ("n", "5"),
        ("n", "?"),
        ("size", "2"),
        ("n", True),
        ("n", 5.5),
        ("n", 2**63),
    ],
)
def test_json_of_another_type_is_refused(ways, column, value):
    record = {key: values[0] for key, values in GOOD.items()}
    with pytest.raises(Refused, match=f"row 1 of 1: column '{column}' is "):
        ways.served(json.dumps({"dataframe_records": [{**record, column: value}]}), JSON)
