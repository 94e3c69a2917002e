"""Cells of the other kinds, of other markers and of a decimal comma: each the same to all three ways."""

import datetime
import json
import re
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.data.reading import BOOLEAN, CURRENCY, DATE, DOUBLE, INTEGER, PERCENT, TEXT, TIMESTAMP
from common.data.spec import CATEGORY, LABEL_ROLE, NUMERIC, Column, DatasetSpec
from tests.one_reading.conftest import JSON, PARQUET, Refused

KINDS = {
    "b": BOOLEAN,
    "d": DATE,
    "t": TIMESTAMP,
    "p": PERCENT,
    "c": CURRENCY,
    "n": INTEGER,
    "x": DOUBLE,
    "s": TEXT,
}
EXPECTED = {
    "b": "true or false",
    "d": "a date such as 2024-12-31",
    "t": "a timestamp such as 2024-12-31 23:59:59",
    "p": "a percentage such as 12.5%",
    "c": "an amount such as $1,200.50",
    "n": "a whole number",
    "x": "a finite number",
    "s": "text",
}
BAD = object()


def spec(decimal=".", missing=0.5, markers=("?", "n/a", "-999", " - ")):
    """A data set with a column of each kind, which may be missing if some were."""
    text = (BOOLEAN, TEXT)
    columns = [
        Column(name, kind, CATEGORY if kind in text else NUMERIC, missing) for name, kind in KINDS.items()
    ]
    return DatasetSpec(
        "kinds",
        (*columns, Column("y", TEXT, LABEL_ROLE)),
        label="y",
        labels=("no", "yes"),
        positive="yes",
        strata=("y",),
        decimal=decimal,
        missing=markers,
    )


def midnight(day):
    return f"{day} 00:00:00.000000"


# For either decimal mark: column, cell, and its value.
ANY = [
    *((name, cell, None) for name in KINDS for cell in ("", "?", "n/a", "-", " n/a ", "-999")),
    *((name, "N/A", BAD) for name in KINDS if name != "s"),
    *(("b", cell, "true") for cell in ("true", "TRUE", "Yes", "t", "Y", "1", " yEs ")),
    *(("b", cell, "false") for cell in ("false", "False", "no", "F", "n", "0")),
    *(("b", cell, BAD) for cell in ("maybe", "2", "1.0", "on", "yes!", "ye", "tru\u0435")),
    *(("d", cell, "2024-02-29") for cell in ("2024-02-29", "2024/02/29", " 2024-02-29 ")),
    *(("d", f"2024-02-29{time}", "2024-02-29") for time in ("T00:00", " 00:00:00", "T00:00:00.000Z")),
    ("d", "0001-01-01", "0001-01-01"),
    ("d", "9999-12-31", "9999-12-31"),
    ("d", "1500-02-28", "1500-02-28"),
    *(("d", cell, BAD) for cell in ("2024-02-30", "2023-02-29", "1900-02-29", "0000-01-01")),
    *(("d", cell, BAD) for cell in ("2024-2-9", "24-02-09", "2024-02/29", "20240229", "29.02.2024")),
    *(("d", cell, BAD) for cell in ("2024-02-29 00:00:01", "2024-02-29T00:00+01:00", "10000-01-01")),
    *(("d", cell, BAD) for cell in ("2024-13-01", "2024-00-01", "2024-01-00", "x2024-02-29")),
    *(("d", cell, BAD) for cell in ("2024-02-29T", "٢024-02-29", "2024-02-29\u2003")),
    ("t", "2024-02-29", midnight("2024-02-29")),
    ("t", "2024/02/29", midnight("2024-02-29")),
    ("t", "2024-02-29 12:30", "2024-02-29 12:30:00.000000"),
    ("t", "2024-02-29T23:59:59", "2024-02-29 23:59:59.000000"),
    ("t", "2024-02-29T12:30:01.5Z", "2024-02-29 12:30:01.500000"),
    ("t", "2024-02-29T12:30:01.1234569", "2024-02-29 12:30:01.123456"),
    ("t", "1969-12-31T23:59:59.9999999Z", "1969-12-31 23:59:59.999999"),
    ("t", "2024-02-29T00:30+02:00", "2024-02-28 22:30:00.000000"),
    ("t", "2024-02-29T23:30:00.25-0230", "2024-03-01 02:00:00.250000"),
    ("t", "2024-02-29 12:00:00+00", "2024-02-29 12:00:00.000000"),
    ("t", "9999-12-31 23:59:59.9999999", "9999-12-31 23:59:59.999999"),
    ("t", "0001-01-01", midnight("0001-01-01")),
    *(
        ("t", cell, BAD)
        for cell in ("0001-01-01T00:00+00:01", "9999-12-31T23:59-00:01", "2024-02-30 12:00")
    ),
    *(("t", f"2024-02-29{time}", BAD) for time in (" 24:00", " 12:60", " 12:30:60", " 12", "  12:30")),
    *(("t", f"2024-02-29{time}", BAD) for time in ("T12:30:01.", "T1:30", "Z", "+02:00", "T12:30  Z")),
    *(("t", f"2024-02-29T12:30{zone}", "2024-02-29 12:30:00.000000") for zone in (" Z", "UTC", " UTC")),
    ("t", "2024-02-29 12:30:01.5 +0230", "2024-02-29 10:00:01.500000"),
    *(("t", f"2024-02-29T12:30{zone}", BAD) for zone in ("z", "+24:00", "+2", "+02:60", "+020", "CET")),
    *(
        ("c", cell, 3.0)
        for cell in ("3", "$3", "3$", "€ 3", "3 EUR", "USD3", "+3", "+$3", "£\u00a03", "3 €\u00a0")
    ),
    *(("c", cell, -3.0) for cell in ("-3", "-$3", "$-3", "(3)", "($3)", "(€ 3)", "(3 EUR)", "-3 ₹")),
    *(
        ("c", cell, 1200.0)
        for cell in ("$1 200", "1'200 CHF", "1\u2019200", "1\u202f200 €", "1200", "12e2")
    ),
    *(("c", cell, BAD) for cell in ("$", "(3", "3)", "(-3)", "-$-3", "$3 USD", "usd 3", "3 US", "$ $3")),
    *(("c", cell, BAD) for cell in ("$12 00", "1 200'000", "$1e3", "$1 2000", "()", "٣ $", "$()")),
    *(("c", cell, -3.0) for cell in ("$(3)", "$ (3)", "(3) $", "($ 3)", "(3 USD)", "USD (3)")),
    *(("c", cell, 0.0) for cell in ("$-", "$   -", "-  €", "€ -")),
    *(("c", cell, BAD) for cell in ("$(-3)", "-$(3)", "$(3", "$3)", "($(3))", "$(3))", "(3)-")),
    *(("c", cell, BAD) for cell in ("$--", "USD -")),
    ("c", "-$0", 0.0),
    ("c", "$" + "9" * 400, BAD),
    *(("p", cell, BAD) for cell in ("%", "$5", "5 % %", "5%%", "5 pct", "5  %")),
    *(("p", cell, 5.0) for cell in ("5", "5%", "5 %", "+5%", "5e0%", "5\u00a0%", "5%\u202f")),
    ("s", "$5", "$5"),
    ("s", "2024-02-30", "2024-02-30"),
    *((name, cell, BAD) for name in "nx" for cell in ("5%", "$5", "1'000", "(5)", "true", "2024-02-29")),
]
POINT = [
    *(("c", cell, 1200.5) for cell in ("$1,200.50", "1,200.50", "1 200.5 €", "1200.5")),
    ("c", "$1,234,567", 1234567.0),
    ("c", "$.5", 0.5),
    ("c", "$5.", 5.0),
    *(("c", cell, 1234567.0) for cell in ("$12,34,567", "12,34,567.00")),
    *(("c", cell, -1200.5) for cell in ("1,200.50-", "1200.5-", "$1200.50-", "1,200.50- EUR")),
    ("c", ".5-", -0.5),
    *(("c", cell, BAD) for cell in ("1.200,50", "$1,20", "1,2,3", "1,2,34,567", "12,34,56", ",500")),
    *(("c", cell, BAD) for cell in ("5-", "5.-", "-5.5-", "(5.5-)", "5.5--", "5.5+")),
    *(("p", cell, 12.5) for cell in ("12.5%", "12.5 %", "12.5", "125e-1%")),
    ("p", "12,5%", BAD),
    ("x", "1,5", BAD),
    ("x", "1.5", 1.5),
    *((name, "-999.0", None) for name in "nxpc"),
]
COMMA = [
    *(("c", cell, 1200.5) for cell in ("1.200,50 €", "1.200,5", "1 200,5", "1200,5")),
    *(("c", cell, -1200.5) for cell in ("(€ 1.200,50)", "€ (1.200,50)", "(1.200,50) €")),
    ("c", "1.200", 1200.0),
    *(("c", cell, -1200.5) for cell in ("1.200,50-", "1200,5-", "1 200,50- EUR")),
    *(("c", cell, BAD) for cell in ("1,200.50", "1.5", "1.20,5", "12.34.567", "5-")),
    *(("p", cell, 12.5) for cell in ("12,5%", "12,5 %", "12,5")),
    ("p", "12.5%", BAD),
    *(("x", cell, 1.5) for cell in ("1,5", "+1,5", "15e-1", "0,15e1", "1,50")),
    ("x", ",5", 0.5),
    ("x", "1.5", BAD),
    ("x", "1.000,5", BAD),
    ("n", "5,0", 5),
    ("n", "5.0", BAD),
    *((name, "-999,0", None) for name in "nxpc"),
]
GIVEN = {".": [*ANY, *POINT], ",": [*ANY, *COMMA]}
# Cells, and the values that they become.
GOOD = {"b": "true", "d": "2024-02-29", "t": midnight("2024-02-29"), "p": 5.0, "c": 3.0}
GOOD |= {"n": 5, "x": 2.0, "s": "a"}
WRITTEN = {"b": "yes", "d": "2024-02-29", "t": "2024-02-29", "p": "5%", "c": "$3"}
WRITTEN |= {"n": "5", "x": "2", "s": "a"}


def csv_line(changed):
    cells = {**WRITTEN, **changed, "y": "yes"}.values()
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


HEADER = ",".join([*KINDS, "y"]) + "\n"


@pytest.mark.parametrize("decimal", GIVEN)
def test_cells_are_the_same_to_training_batch_and_service(ways_of, decimal):
    ways, expected = ways_of(spec(decimal)), []
    for name, cell, value in GIVEN[decimal]:
        content = (HEADER + csv_line({name: cell})).encode()
        if value is BAD:
            with pytest.raises(Refused) as said:
                ways.served(content)
            reason = str(said.value).removeprefix("row 1 of 1: ")
            assert reason.startswith(f"column {name!r} is "), (name, cell)
            assert reason.endswith(f", expected {EXPECTED[name]}"), (name, cell)
            expected.append(reason)
        else:
            expected.append(tuple({**GOOD, name: value}.values()))
            assert repr(ways.served(content)) == repr(expected[-1:]), (name, cell)
    lines = [f"{place},{csv_line({name: cell})}" for place, (name, cell, _) in enumerate(GIVEN[decimal])]
    path = ways.folder / f"cells {decimal}.csv"
    path.write_text("id," + HEADER + "".join(lines))
    assert_same(ways.each(path), expected, GIVEN[decimal])
    good = [place for place, row in enumerate(expected) if isinstance(row, tuple)]
    path.write_text("id," + HEADER + "".join(lines[place] for place in good))
    assert_same(ways.train(path), [expected[place] for place in good], good)


def assert_same(found, expected, given):
    for row, other, cell in zip(found, expected, given, strict=True):
        assert repr(row) == repr(other), cell


@pytest.mark.parametrize("currency", ["€", "EUR"])
def test_amounts_in_another_currency_than_trainings_are_refused(ways_of, currency):
    of_all = spec(decimal=",")
    columns = [replace(one, unit=currency if one.name == "c" else "") for one in of_all.columns]
    ways, other = ways_of(replace(of_all, columns=tuple(columns))), "EUR" if currency == "€" else "€"
    written = [f"3 {currency}", f"{currency}3", f"-{currency} 1.200,5", "3", f"({currency}3)", "?", ""]
    values = [3.0, 3.0, -1200.5, 3.0, -3.0, None, None]
    strange = ["$3", "3 USD", f"({other} 3)", f"{other} 1.200,5", "12 XYZ"]
    expected = [tuple({**GOOD, "c": value}.values()) for value in values]
    expected += [f"column 'c' is {cell!r}, expected an amount in {currency}" for cell in strange]
    for cell, row in zip([*written, *strange], expected, strict=True):
        content = (HEADER + csv_line({"c": cell})).encode()
        asked = json.dumps({"dataframe_records": [{**WRITTEN, "n": 5, "x": 2, "c": cell}]})
        for given in ((content,), (asked, JSON)):
            if isinstance(row, tuple):
                assert repr(ways.served(*given)) == repr([row])
            else:
                with pytest.raises(Refused, match=re.escape(row)):
                    ways.served(*given)
    lines = [f"{place},{csv_line({'c': cell})}" for place, cell in enumerate([*written, *strange])]
    path = ways.folder / "currency.csv"
    path.write_text("id," + HEADER + "".join(lines))
    assert_same(ways.each(path), expected, [*written, *strange])
    with pytest.raises(Refused, match=f"expected an amount in {currency}"):
        ways.train(path)
    path.write_text("id," + HEADER + "".join(lines[: len(written)]))
    assert_same(ways.train(path), expected[: len(written)], written)


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name] not in (TEXT, BOOLEAN)])
def test_value_that_was_never_missing_in_training_may_not_be(ways_of, name):
    ways = ways_of(spec(missing=0.0))
    path = ways.folder / "never.csv"
    path.write_text("id," + HEADER + f"0,{csv_line({name: '-'})}")
    reason = f"column {name!r} is null, expected {EXPECTED[name]}"
    assert ways.each(path) == [reason]
    with pytest.raises(Refused, match=re.escape(f"row 1 of 1: {reason}")):
        ways.served((HEADER + csv_line({name: "?"})).encode())
    assert ways.train(path)[0][list(KINDS).index(name)] is None


DAY, NOON = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30, 0, 5)
MIDNIGHT, LAST = datetime.datetime(2024, 2, 29), datetime.datetime(9999, 12, 31)
NOON_TEXT = "2024-02-29 12:30:00.000005"
# A column of Parquet: its name, its values, and what they become or the message.
TYPED = {
    "booleans": ("b", pa.array([True, None]), ["true", None]),
    "integers as booleans": ("b", pa.array([1, 0], pa.int8()), ["true", "false"]),
    "large integers as booleans": ("b", pa.array([1, 0], pa.uint64()), ["true", "false"]),
    "marked integer as a boolean": ("b", pa.array([1, -999]), ["true", None]),
    "another integer as a boolean": ("b", pa.array([1, 2]), "is 2, expected true or false"),
    "texts as booleans": ("b", pa.array(["Yes", "n/a"]), ["true", None]),
    "doubles as booleans": ("b", pa.array([1.0, 0.0]), ["true", "false"]),
    "double with a fraction as a boolean": ("b", pa.array([1.0, 0.5]), "expected true or false"),
    "dates as booleans": ("b", pa.array([DAY, DAY]), "expected (text|true or false)"),
    "dates": ("d", pa.array([DAY, None]), ["2024-02-29", None]),
    "dates of 64 bits": ("d", pa.array([DAY, None], pa.date64()), ["2024-02-29", None]),
    "timestamps as dates": ("d", pa.array([MIDNIGHT, LAST]), ["2024-02-29", "9999-12-31"]),
    "nanoseconds as dates": ("d", pa.array([MIDNIGHT, None], pa.timestamp("ns")), ["2024-02-29", None]),
    "texts as dates": ("d", pa.array([" 2024/02/29", "?"]), ["2024-02-29", None]),
    "noon as a date": ("d", pa.array([NOON, MIDNIGHT]), f"is '{NOON_TEXT}', expected a date"),
    "integers as dates": ("d", pa.array([20240229, 1]), "expected (dates|a date)"),
    "doubles as dates": ("d", pa.array([1.5, 1.0]), "expected (dates|a date)"),
    "nothing as dates": ("d", pa.array([None, None], pa.null()), [None, None]),
    **{
        f"timestamps of {unit} {zone}": (
            "t",
            pa.array([NOON.replace(microsecond=0), None], pa.timestamp(unit, zone)),
            ["2024-02-29 12:30:00.000000", None],
        )
        for unit, zone in (
            ("s", None),
            ("ms", "UTC"),
            ("us", "Europe/Paris"),
            ("ns", None),
            ("ns", "UTC"),
        )
    },
    "microseconds": ("t", pa.array([NOON, LAST]), [NOON_TEXT, midnight("9999-12-31")]),
    "nanoseconds before 1970": (
        "t",
        pa.array([-1, -1001], pa.timestamp("ns")),
        ["1969-12-31 23:59:59.999999", "1969-12-31 23:59:59.999998"],
    ),
    "dates as timestamps": ("t", pa.array([DAY, None]), [midnight(DAY), None]),
    "texts as timestamps": ("t", pa.array(["2024-02-29T12:30:00.000005Z", "?"]), [NOON_TEXT, None]),
    "integers as timestamps": ("t", pa.array([1, 2]), "expected (dates|a timestamp)"),
    "percentages": ("p", pa.array(["12.5 %", "n/a"]), [12.5, None]),
    "numbers as percentages": ("p", pa.array([12.5, float("nan")]), [12.5, None]),
    "integers as percentages": ("p", pa.array([5, -999]), [5.0, None]),
    "amounts": ("c", pa.array(["($1,200.50)", ""]), [-1200.5, None]),
    "decimals as amounts": ("c", pa.array([Decimal("0.10"), None]), [0.1, None]),
    "booleans as amounts": ("c", pa.array([True, None]), "expected (numbers|an amount)"),
    "marked integers": ("n", pa.array([5, -999]), [5, None]),
    "marked doubles": ("x", pa.array([0.5, -999.0]), [0.5, None]),
    "marked text of a number": ("x", pa.array(["n/a", None]), [None, None]),
    "text of a number": ("x", pa.array(["5", None]), "column 'x' is '5', expected a finite number"),
    "marked integer as a text": ("s", pa.array([5, -999]), ["5", None]),
}


@pytest.mark.parametrize("name", TYPED)
def test_parquet_is_the_same_to_training_batch_and_service(ways_of, name):
    ways = ways_of(spec())
    column, array, expected = TYPED[name]
    columns = {key: pa.array([cell] * 2) for key, cell in {**WRITTEN, "y": "yes"}.items()}
    columns |= {"n": pa.array([5, 5]), "x": pa.array([2.0, 2.0]), column: array}
    path = ways.folder / f"{list(TYPED).index(name)}.parquet"
    pq.write_table(pa.table(columns), path)
    reads = [
        lambda: ways.train(path),
        lambda: ways.batch(path),
        lambda: ways.served(path.read_bytes(), PARQUET),
    ]
    for read in reads:
        if isinstance(expected, str):
            with pytest.raises(Refused, match=expected):
                read()
        else:
            assert repr(read()) == repr([tuple({**GOOD, column: value}.values()) for value in expected])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("b", True, "true"),
        ("b", 0, "false"),
        ("b", 2, BAD),
        ("b", 1.0, "true"),
        ("b", 0.5, BAD),
        ("p", 5, 5.0),
        ("p", "5 %", 5.0),
        ("c", "$1,200.50", 1200.5),
        ("c", 3.5, 3.5),
        ("c", True, BAD),
        ("d", "2024-02-29T00:00:00.000Z", "2024-02-29"),
        ("d", 20240229, BAD),
        ("t", "2024-02-29T12:30:00Z", "2024-02-29 12:30:00.000000"),
        ("n", "5", BAD),
        ("n", -999, None),
        *((name, value, None) for name in KINDS for value in (None, "", " ", "n/a")),
    ],
)
def test_json_is_read_as_the_other_formats_are(ways_of, name, value, expected):
    ways, record = ways_of(spec()), {**WRITTEN, "n": 5, "x": 2, name: value}
    content = json.dumps({"dataframe_records": [record]})
    if expected is BAD:
        with pytest.raises(Refused, match=f"column '{name}' is .*, expected {re.escape(EXPECTED[name])}"):
            ways.served(content, JSON)
    else:
        assert repr(ways.served(content, JSON)) == repr([tuple({**GOOD, name: expected}.values())])
