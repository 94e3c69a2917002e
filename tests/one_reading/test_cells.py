"""Cells of CSV, each as a line of one file and as a request: the same value, or all refuse it."""

import pytest

from common.data.records import open_table
from common.machine.spark_settings import file_uri
from tests.one_reading.conftest import HEADER, Refused, line

# Column, the cell (quoted or not), and its value or the message.
CELLS = [
    # Texts.
    ("item", '""', None),
    ("item", '""""', '"'),
    ("item", '"a""b"', 'a"b'),
    ("item", 'a "b" c', 'a "b" c'),
    ("item", '5"', '5"'),
    ("item", "'a'", "'a'"),
    ("item", "end\\", "end\\"),
    ("item", "a\\nb", "a\\nb"),
    ("item", '"a""b" "c"', "has text between a closing quote"),
    ("item", '"a" b', "has text between a closing quote"),
    ("item", '"a"b"c"', "has text between a closing quote"),
    ("item", "  a b  ", "a b"),
    ("item", "\ta\t", "a"),
    ("item", '"  a b "', "a b"),
    ("item", ' "a" ', "a"),
    ("item", "   ", None),
    ("item", "\u00a0a", "a"),
    ("item", "\u2003a", "\u2003a"),
    ("item", "", None),
    *(("item", given, None) for given in ("?", " ? ", '"?"', '" ? "')),
    *(
        ("item", given, given)
        for given in ("??", "NA", "N/A", "None", "null", "NULL", "nan", "#N/A", "-")
    ),
    *(("item", given, "true") for given in ("true", "True", "TRUE", '"True"', " TRUE ")),
    *(("item", given, "false") for given in ("false", "False", "FALSE")),
    *(("item", given, given) for given in ("tRUE", "T", "yes", "No", "on", "1", "1.0", "007")),
    ("item", "item", "item"),
    ("item", "e\u0301", "e\u0301"),
    # Whole numbers.
    *(
        ("n", given, 5)
        for given in ("5", '"5"', " 5 ", "\t5", "5\u00a0", "\u202f5", "+5", "005", "0" * 4500 + "5")
    ),
    *(("n", given, 5) for given in ("5.0", "5.", "50e-1", ".5E1", "+0.5e+1")),
    ("n", "-0", 0),
    ("n", str(2**63 - 1), 2**63 - 1),
    ("n", str(-(2**63) + 1), -(2**63) + 1),
    ("n", str(2**53 + 1), 2**53 + 1),
    ("n", "9007199254740993.0", 2**53),
    *(
        ("n", given, f"column 'n' is {given!r}, expected a whole number")
        for given in ("1d", "2F", "5L", "0x1", "0b1", "1_000", "1 000", "NaN", "Infinity", "-inf", "five")
    ),
    *(
        ("n", given, f"column 'n' is {given!r}, expected a whole number")
        for given in (
            "٣",
            "\uff15",
            "\u20035",
            "5\x0b",
            "1e",
            "--1",
            "+",
            ".",
            "e5",
            "$5",
            "5%",
            "NA",
            "True",
        )
    ),
    ("n", '"5\n"', "column 'n' is '5\\\\n', expected a whole number"),
    ("n", '"1,000"', "column 'n' is '1,000', expected a whole number"),
    ("n", "5.5", "column 'n' is 5.5, expected a whole number"),
    ("n", "1e400", "column 'n' is inf, expected a whole number"),
    ("n", str(2**63), f"column 'n' is {2**63}, expected a whole number"),
    ("n", str(-(2**63)), f"column 'n' is {-(2**63)}, expected a whole number"),
    ("n", "9223372036854775807.0", "expected a whole number"),
    ("n", "9" * 5000, "column 'n' is inf, expected a whole number"),
    ("n", "x" * 500, f"column 'n' is '{'x' * 59}..., expected a whole number"),
    *(
        ("n", given, "column 'n' is null, expected a whole number")
        for given in ("", "?", " ", '""', '"?"')
    ),
    # Numbers.
    *(("price", given, 0.5) for given in (".5", "0.5", "5e-1", '"0.50"', " +.5 ")),
    ("price", "-0.0", 0.0),
    ("price", "1e-400", 0.0),
    ("price", "4.9e-324", 5e-324),
    ("price", "1.7976931348623157e308", 1.7976931348623157e308),
    ("price", "0.1000000000000000055511", 0.1),
    ("price", "9007199254740993", 2.0**53),
    *(
        ("price", given, f"column 'price' is {given!r}, expected a finite number")
        for given in (
            "2.5f",
            "2.5d",
            "0x1p3",
            "NaN",
            "nan",
            "-Infinity",
            "1\u066b5",
            "1_0.5",
        )
    ),
    ("price", "1e400", "column 'price' is inf, expected a finite number"),
    ("price", "?", "column 'price' is null, expected a finite number"),
    # Numbers that are categories.
    *(("size", given, None) for given in ("", "?", ' "?" ')),
    ("size", "NA", "column 'size' is 'NA', expected a whole number"),
    ("size", "2.0", 2),
]
NAMES = ["item", "n", "price", "size"]


@pytest.fixture(scope="module")
def in_spark(ways, spark, shop):
    """Values and reason for each cell's line, as a model reads it and as training does."""
    path = ways.folder / "cells.csv"
    lines = [f"{place}," + line(**{name: given}) for place, (name, given, _) in enumerate(CELLS)]
    path.write_bytes(("id," + HEADER + "".join(lines)).encode())
    found = []
    for form in (shop().input_form, shop().form):
        table = open_table(spark, file_uri(path), form)
        values = [table.values[name].alias(name) for name in NAMES]
        rows = table.frame.select("id", *values, table.good.alias("good"), table.reason.alias("reason"))
        found.append({int(row["id"]): row for row in rows.collect()})
    return found


@pytest.mark.parametrize(
    "place", range(len(CELLS)), ids=lambda place: f"{CELLS[place][0]} {CELLS[place][1][:20]!r}"
)
def test_cell_is_the_same_to_training_batch_and_service(ways, in_spark, place):
    name, given, expected = CELLS[place]
    content = (HEADER + line(**{name: given})).encode()
    batch, training = (found[place] for found in in_spark)
    if isinstance(expected, str) and ("expected a " in expected or "a closing quote" in expected):
        with pytest.raises(Refused) as said:
            ways.served(content)
        reason = str(said.value).removeprefix("row 1 of 1: ").replace("\\\\n", "\\n")
        assert expected.replace("\\\\n", "\\n") in reason
        assert not batch["good"]
        assert batch["reason"] == str(said.value).removeprefix("row 1 of 1: ")
        # In training a number may be missing; only its scaling refuses that.
        assert training["good"] == ("is null" in expected)
        return
    values = {"item": "x", "n": 5, "price": 2.5, "size": 1, name: expected}
    assert ways.served(content) == [tuple(values.values())]
    for row in (batch, training):
        assert row["good"]
        assert repr(tuple(row[name] for name in NAMES)) == repr(tuple(values.values()))
