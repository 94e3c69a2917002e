import datetime
import decimal
import gzip
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from common.data.fetch import Location
from common.data.infer import dialect, infer_table, shown_spec
from common.data.infer import rows as rows_module
from common.data.read import read_source
from common.data.spec_yaml import Given, parse_spec, to_yaml
from common.errors import UserError

N = 40
HEAD = ["id", "city", "wage", "n", "y"]
ROWS = [[str(i + 1), "Köln" if i % 3 else "Ulm", f"{i * 7 % 40}.5", str(i % 7), "yes" if i % 4 else "no"]
        for i in range(N)]  # fmt: skip
KINDS = {"id": "integer", "city": "string", "wage": "double", "n": "integer", "y": "string"}
ROLES = {"id": "ignored", "city": "category", "wage": "numeric", "n": "numeric", "y": "label"}


def lines(separator=",", rows=ROWS, head=HEAD, end="\n", comma=False):
    every = ([head] if head else []) + rows
    shown = [[cell.replace(".", ",") if comma else cell for cell in row] for row in every]
    return "".join(separator.join(row) + end for row in shown)


@pytest.fixture
def infer(spark, tmp_path):
    def infer(content, label="y", name="table.csv", **said):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        found = infer_table(spark, f"file://{file}", Given("t", label, **said))
        assert parse_spec(to_yaml(found.spec), "again") == found.spec
        return found

    return infer


@pytest.fixture(scope="module")
def plain(spark, tmp_path_factory):
    """The spec of the table as it is."""
    file = tmp_path_factory.mktemp("plain") / "table.csv"
    file.write_text(lines())
    return infer_table(spark, f"file://{file}", Given("t", "y")).spec


def types(spec):
    return {column.name: column.type for column in spec.columns}


def roles(spec):
    return {column.name: column.role for column in spec.columns}


@pytest.mark.parametrize(
    ("content", "written"),
    [
        (lines(), (",", "utf-8", ".")),
        (lines(";", comma=True).encode("cp1252"), (";", "cp1252", ",")),
        (lines("\t"), ("\t", "utf-8", ".")),
        (lines("|"), ("|", "utf-8", ".")),
        ("\ufeff" + lines(end="\r\n"), (",", "utf-8", ".")),
        (lines(end="\r"), (",", "utf-8", ".")),
        (lines(", "), (",", "utf-8", ".")),
        (lines(rows=[[f'"{cell}"' for cell in row] for row in ROWS]), (",", "utf-8", ".")),
    ],
    ids=["comma", "semicolon", "tab", "bar", "bom", "cr", "blanks", "quotes"],
)
def test_table_is_the_same_however_it_is_written(infer, content, written):
    spec = infer(content).spec
    assert (spec.separator, spec.encoding, spec.decimal) == written
    assert (types(spec), roles(spec)) == (KINDS, ROLES)
    assert (spec.task, spec.labels, spec.positive) == ("binary", ("no", "yes"), "yes")
    assert (spec.strata, spec.missing) == (("y",), ("?",))


def test_compressed_file_is_read(infer):
    assert types(infer(gzip.compress(lines().encode()), name="table.csv.gz").spec) == KINDS


def test_encoding_beyond_the_head_is_found(infer):
    rows = [[*row[:1], "Ulm", *row[2:]] for row in ROWS] * 1700
    content = lines(rows=rows).encode() + "1,Köln,1.5,1,no\n".encode("latin-1")
    assert len(content) > 1 << 20
    found = infer(content)
    assert found.spec.encoding == "cp1252"
    assert "in cp1252" in "\n".join(found.told)


def test_file_without_a_header_has_columns_by_place(infer):
    found = infer(lines(head=None), label="_c4")
    assert found.spec.names == ["_c0", "_c1", "_c2", "_c3", "_c4"]
    assert "the file is CSV without a header" in found.told
    with pytest.raises(UserError, match="'y' is no column .* '1,Ulm,0.5,0,no', was taken for a row"):
        infer(lines(head=None))


def test_listed_columns_name_those_of_a_file_without_a_header(infer):
    spec = infer(lines(head=None), columns={name: {} for name in HEAD}).spec
    assert (types(spec), roles(spec)) == (KINDS, ROLES)


def test_line_breaks_and_separators_within_quotes_are_one_value(infer):
    rows = [[*row, f'"first line {place}\nsecond, line"'] for place, row in enumerate(ROWS)]
    found = infer(lines(rows=rows, head=[*HEAD, '"a\nnote"'])).spec
    assert types(found) == KINDS | {"a\nnote": "string"}
    assert found.columns[-1].why == "free text: 4.0 words on average"


def test_missing_values_are_counted_by_their_markers(infer):
    rows = [row.copy() for row in ROWS]
    for place, (column, text) in enumerate(
        [(2, "NA"), (2, "-"), (1, "None"), (1, "?"), (1, ""), (4, "")]
    ):
        rows[place][column] = text
    found = infer(lines(rows=rows))
    assert found.spec.missing == ("?", "NA", "-")
    assert {c.name: c.missing for c in found.spec.columns} == {
        "id": 0.0, "city": 0.05, "wage": 0.05, "n": 0.0, "y": 0.025,
    }  # fmt: skip
    assert found.spec.columns[1].why == "text, 3 values"
    assert "1 row has no label and is left out" in found.told
    assert any(line.startswith("taken for missing values: ? (1") for line in found.told)


@pytest.mark.parametrize("mark", [r"\N", "NaT", "(null)", "#DIV/0!"])
def test_marks_of_databases_and_spreadsheets_are_missing_values(infer, mark):
    rows = [[*row[:2], mark if place % 3 == 0 else row[2], *row[3:]] for place, row in enumerate(ROWS)]
    found = infer(lines(rows=rows)).spec
    assert (types(found), found.missing) == (KINDS, (mark,))


def test_many_texts_among_numbers_are_told(infer):
    rows = [[*row[:2], "n.d." if place % 3 == 0 else row[2], *row[3:]] for place, row in enumerate(ROWS)]
    (why,) = (column.why for column in infer(lines(rows=rows)).spec.columns if column.name == "wage")
    assert f": {len(rows[::3])} of {N} are no numbers or dates, such as 'n.d.' (to read" in why


def test_records_of_empty_fields_say_nothing_of_a_column(infer):
    rows = [[str(place + 1), *row[1:3], "5", row[4]] for place, row in enumerate(ROWS)]
    found = infer(lines(";", rows=rows, comma=True) + ";;;;\n" * 2 + ';"";; ;\n').spec
    assert (roles(found)["id"], roles(found)["n"]) == ("ignored", "ignored")
    assert {column.missing for column in found.columns} == {0}


@pytest.mark.parametrize(
    ("written", "type", "role"),
    [
        ("2024-01-{d:02} 10:00:{n:02}+00", "timestamp", "numeric"),
        ("2024-01-{d:02}T10:00:{n:02}-0230", "timestamp", "numeric"),
        ("2024-01-{d:02} 10:00:{n:02}.123456789", "timestamp", "numeric"),
        ("2024/01/{d:02} 10:{n:02}", "timestamp", "numeric"),
        ("2024-01-{d:02} 25:00:{n:02}", "string", "ignored"),
        ("2024-02-30 10:00:{n:02}", "string", "ignored"),
        ("2024-01-{d:02} 10:00:{n:02} UTC", "timestamp", "numeric"),
        ("2024-01-{d:02} 10:00:{n:02} +0530", "timestamp", "numeric"),
        ("{n}.50-", "currency", "numeric"),
        ("{n}.50- EUR", "currency", "numeric"),
        ("{n}-", "string", "ignored"),
        ("({n})", "currency", "numeric"),
        ("$ ({n}.50)", "currency", "numeric"),
        ("({n}) EUR", "currency", "numeric"),
        ("${n}.50", "currency", "numeric"),
        ("AED {n}500.00", "currency", "numeric"),
        ("{n}.50 RUB", "currency", "numeric"),
        ("ABC{n}", "string", "ignored"),
    ],
)
def test_values_are_of_the_type_that_reads_them(infer, written, type, role):
    cells = [written.format(n=place, d=place % 28 + 1) for place in range(N)]
    spec = infer(lines(rows=[[*row[:2], cell, *row[3:]] for row, cell in zip(ROWS, cells, strict=True)]))
    assert (spec.spec.columns[2].type, spec.spec.columns[2].role) == (type, role)


def test_amounts_of_two_currencies_are_no_numbers(infer):
    rows = [
        [*row[:2], f"{place} {'EUR' if place % 4 else 'JPY'}", *row[3:]] for place, row in enumerate(ROWS)
    ]
    column = infer(lines(rows=rows)).spec.columns[2]
    assert (column.type, column.why) == (
        "string",
        "unique amounts in several currencies (EUR, JPY): an identifier",
    )
    euros = [
        [*row[:2], f"{place} EUR" if place % 4 else str(place), *row[3:]]
        for place, row in enumerate(ROWS)
    ]
    assert [one.unit for one in infer(lines(rows=euros)).spec.columns] == ["", "", "EUR", "", ""]
    plain = [
        [*row[:2], f"({place})" if place % 4 else "7 EUR", *row[3:]] for place, row in enumerate(ROWS)
    ]
    assert infer(lines(rows=plain)).spec.columns[2].type == "currency"


def test_dash_beside_a_currency_is_an_amount(infer):
    cells = [f"$ {place}.25" if place % 3 else " $-   " for place in range(N)]
    rows = [[*row[:2], cell, *row[3:]] for row, cell in zip(ROWS, cells, strict=True)]
    column = infer(lines(rows=rows)).spec.columns[2]
    assert (column.type, column.unit, column.missing) == ("currency", "$", 0.0)


def test_spaces_that_do_not_break_a_line_around_a_value_are_no_part_of_it(infer):
    rows = [[row[0], row[1], f"\u00a0{row[2]}\u202f", row[3], f"{row[4]}\u00a0"] for row in ROWS]
    rows[0][2] = "\u00a0"
    found = infer(lines(rows=rows + ROWS)).spec
    wage = found.columns[2]
    assert (wage.type, wage.missing) == ("double", 1 / (2 * N))
    assert found.labels == ("no", "yes")


def test_text_of_the_label_that_marks_missing_numbers_is_asked_about(infer):
    rows = [row.copy() for row in ROWS]
    rows[3][2] = rows[5][4] = rows[6][4] = "None"
    with pytest.raises(UserError, match="label 'y' has 'None' in 2 rows, which marks .* in 'wage'"):
        infer(lines(rows=rows))
    assert infer(lines(rows=rows), missing=("None",)).spec.labels == ("no", "yes")
    rows[3][2] = "0.5"
    assert "None" in infer(lines(rows=rows)).spec.labels


def test_markers_that_are_given_are_the_only_ones(infer):
    rows = [[*row[:3], "-999" if row[3] == "6" else row[3], row[4]] for row in ROWS]
    rows[0][1] = "NA"
    spec = infer(lines(rows=rows), missing=("-999",)).spec
    assert (spec.columns[3].missing, spec.columns[1].missing) == (0.125, 0.0)
    assert spec.missing == ("-999",)


def test_names_are_kept_whatever_is_in_them(infer):
    found = infer(lines(head=["", "a.b", "w`x", "prediction", "y"])).spec
    assert found.names == ["_c0", "a.b", "w`x", "prediction (input)", "y"]
    assert found.rename == {"prediction": "prediction (input)"}
    assert found.columns[0].why == "counts 1 to 40: an index"


def test_repeated_name_gets_a_suffix_and_is_told(infer):
    found = infer(lines(head=["a", "b", "b", "c", "y"]))
    assert found.spec.names == ["a", "b", "b_2", "c", "y"]
    assert "a column named 'b' again is b_2" in found.told


def test_names_that_differ_by_case_are_refused(infer):
    with pytest.raises(UserError, match=r"columns 'a' and 'A' differ only by case.*drop: \[\"A\"\]"):
        infer(lines(head=["a", "A", "b", "c", "y"]))


def test_what_is_given_wins_for_each_key(infer):
    columns = {"n": {"role": "category"}, "WAGE": {"type": "string"}, "id": {"role": "numeric"}}
    spec = infer(lines(), columns=columns, drop=("city",), rename={"n": "number"}, positive="no").spec
    assert spec.names == ["id", "city", "wage", "number", "y"]
    assert types(spec) == {
        "id": "integer", "city": "string", "wage": "string", "number": "integer", "y": "string",
    }  # fmt: skip
    assert roles(spec) == {
        "id": "numeric", "city": "ignored", "wage": "category", "number": "category", "y": "label",
    }  # fmt: skip
    assert spec.columns[1].why == "dropped by the user"
    assert (spec.labels, spec.rename) == (("yes", "no"), {"n": "number"})


def test_more_values_than_have_a_feature_are_told(infer):
    rows = [[str(i), f"c{i % 500}", "1.5", str(i % 7), "yes" if i % 4 else "no"] for i in range(1000)]
    found = infer(lines(rows=rows))
    assert any("'city' has about 5" in line and "100 most frequent" in line for line in found.told)


def test_number_is_predicted_if_the_label_has_many(infer):
    found = infer(lines(), label="wage")
    assert (found.spec.task, found.spec.labels, found.spec.strata) == ("regression", (), ("wage",))
    assert found.told[0] == "label 'wage' is a number (numbers, 0.5 to 39.5): regression"


def test_ends_of_a_number_to_predict_are_shown_in_full(infer):
    rows = [[str(i), "c", str(1_181_092 + 12_345.67 * i), str(i % 7), "yes"] for i in range(1000)]
    said = infer(lines(rows=rows), label="wage").told[0]
    assert said == "label 'wage' is a number (numbers, 1,181,092 to 13,514,416.33): regression"


def test_columns_are_shown_with_their_reasons_in_full(plain):
    long = replace(plain.columns[1], why="a reason " * 20)
    head, *shown = shown_spec(replace(plain, columns=(plain.columns[0], long))).splitlines()
    assert head.split() == ["column", "type", "role", "missing", "%", "why"]
    assert " ".join(shown[0].split()) == "id integer ignored 0.0 counts 1 to 40: an index"
    assert shown[1].endswith("a reason " * 20)


@pytest.mark.parametrize(
    ("missing", "text"),
    [(0.0, "0.0"), (1e-6, "<0.01"), (0.5, "50.0"), (1 - 1e-6, ">99.99"), (1.0, "100.0")],
)
def test_missing_share_is_none_or_all_only_if_it_is(plain, missing, text):
    column = replace(plain.columns[0], missing=missing)
    assert shown_spec(replace(plain, columns=(column,))).splitlines()[1].split()[3] == text


@pytest.mark.parametrize(
    ("content", "said", "message"),
    [
        (lines(), {"label": "z"}, "label 'z' is no column of .*; the columns are id, city, wage, n, y"),
        (lines(), {"label": "wages"}, r"'wages' is no column of .* \(did you mean 'wage'\?\)"),
        (
            lines().replace(",", " "),
            {},
            "the columns are id city wage n y; no comma, semicolon, tab or bar separates .* separator in",
        ),
        (lines(), {"drop": ("towns",)}, "drop 'towns' is no column"),
        (lines(), {"strata": ("towns",)}, "strata 'towns' is no column"),
        (lines(), {"rename": {"towns": "x"}}, "rename 'towns' is no column"),
        (
            lines(),
            {"rename": {"n": "City"}},
            "gives column 'n' the name 'City', which another column has",
        ),
        (lines(), {"columns": {"towns": {}}}, "columns 'towns' is no column"),
        (lines(), {"drop": ("y",)}, "label 'y' is dropped"),
        (lines(), {"label": "id", "task": "multiclass"}, "'id' has 40 values in 40 rows, such as"),
        (lines(rows=ROWS[:2]), {}, "has 2 rows: at least 10 are needed"),
        (
            lines(rows=[['"a \\"b\\""', *row[1:]] for row in ROWS]),
            {},
            r"0 rows in 41 lines \(.* closing quote",
        ),
        (lines(rows=[]), {}, "has 0 rows: at least 10 are needed"),
        (lines(), {"drop": tuple(HEAD[:4])}, r"no column is left .* id \(dropped by the user\); city \("),
        ("y\n" + "yes\nno\n" * 20, {}, "no column is left to predict from: the label is the only one"),
        (lines() * 1 + "1,Ulm,1.5,1,maybe\n", {}, "has 'maybe' in only 1 row"),
        ("\n\n", {}, "has no records"),
        (lines().encode("utf-16"), {}, "is UTF-16"),
    ],
)
def test_table_that_does_not_do_is_refused_on_one_line(infer, content, said, message):
    with pytest.raises(UserError, match=message) as error:
        infer(content, **said)
    assert "\n" not in str(error.value)


@pytest.fixture
def parquet(spark, tmp_path):
    def parquet(frame, label="y", **said):
        file = tmp_path / "table.parquet"
        frame.to_parquet(file, coerce_timestamps="us", allow_truncated_timestamps=True)
        return infer_table(spark, f"file://{file}", Given("t", label, **said))

    return parquet


def frame(**more):
    days = [datetime.date(2024, 1, 1 + i % 28) for i in range(N)]
    columns = {
        "a.b": [i % 5 for i in range(N)],
        "x": [None if i == 3 else i / 2 for i in range(N)],
        "money": [decimal.Decimal(f"{i}.25") for i in range(N)],
        "whole": [decimal.Decimal(i * i) for i in range(N)],
        "yes": [i % 2 == 0 for i in range(N)],
        "day": days,
        "at": [datetime.datetime(2024, 1, 1, 12, i) for i in range(N)],
        "digits": [f"{i % 4}" for i in range(N)],
        "y": ["no" if i % 3 else "yes" for i in range(N)],
    }
    return pd.DataFrame(columns | more)


def test_parquet_is_read_by_its_types(parquet):
    spec = parquet(frame()).spec
    assert types(spec) == {
        "a.b": "integer", "x": "double", "money": "double", "whole": "integer", "yes": "boolean",
        "day": "date", "at": "timestamp", "digits": "string", "y": "string",
    }  # fmt: skip
    assert roles(spec)["digits"] == roles(spec)["yes"] == "category"
    assert spec.columns[1].missing == 0.025


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_infinite_numbers_of_parquet_are_missing_as_those_of_csv_are(parquet, dtype):
    """pandas divides by zero to them."""
    ratios = [1.5, np.inf, 2.0, -np.inf, np.nan] * (N // 5)
    found = parquet(frame(ratio=pd.Series(ratios, dtype=dtype)))
    assert found.spec.missing == ("inf", "-inf")
    ratio = next(column for column in found.spec.columns if column.name == "ratio")
    assert (ratio.type, ratio.missing) == ("double", 0.6)
    assert any(line.startswith("taken for missing values: inf (") for line in found.told)
    given = parquet(frame(ratio=pd.Series(ratios, dtype=dtype)), missing=("NA",)).spec
    assert given.missing == ("NA",)


def test_label_of_numbers_that_parquet_stores_as_text_is_no_identifier(parquet):
    with pytest.raises(
        UserError, match=r"such as '0\.5': the file stores it as text; to predict a number"
    ):
        parquet(frame(y=[f"{place}.5" for place in range(N)]))


def test_index_of_pandas_is_set_aside(parquet):
    spec = parquet(frame().set_index(pd.Index([place * place for place in range(N)]))).spec
    assert roles(spec)["__index_level_0__"] == "ignored"


def test_parquet_column_of_lists_is_left_out_and_told(parquet):
    found = parquet(frame(tags=[["a"]] * N))
    assert "tags" not in found.spec.names
    assert "column 'tags' is left out: its type is array<string>" in found.told


def test_parquet_label_may_be_boolean_or_whole(parquet):
    assert parquet(frame(y=[i % 3 == 0 for i in range(N)])).spec.labels == ("false", "true")
    assert parquet(frame(y=[i % 4 for i in range(N)])).spec.labels == ("0", "1", "2", "3")


@pytest.mark.parametrize("written", [float, decimal.Decimal, "{}.00"])
def test_parquet_classes_as_floats_or_decimals_are_whole_numbers(parquet, written):
    make = (lambda i: decimal.Decimal(written.format(i))) if isinstance(written, str) else written
    two = parquet(frame(y=[make(i % 2) for i in range(N)]))
    assert (two.spec.labels, two.spec.task) == (("0", "1"), "binary")
    three = parquet(frame(y=[None if i < 3 else make(i % 3 + 1) for i in range(N)]))
    assert (three.spec.labels, three.spec.task) == (("1", "2", "3"), "multiclass")
    assert "3 rows have no label and are left out" in three.told


def test_parquet_classes_with_a_fraction_are_refused(parquet):
    floats = frame(y=[0.5 + i % 2 for i in range(N)])
    with pytest.raises(UserError, match=r"'y' is stored as floating-point numbers \(0.5, 1.5\)"):
        parquet(floats)
    assert parquet(floats, task="regression").spec.task == "regression"


def test_parquet_whole_numbers_as_floats_or_decimals_are_numbers(parquet):
    places = [i % 7 for i in range(N)]
    some = [decimal.Decimal(place) for place in places]
    spec = parquet(frame(a=[float(place) for place in places], b=some, c=[None, *some[1:]])).spec
    assert {types(spec)[name] for name in "abc"} <= {"integer", "double"}
    assert {roles(spec)[name] for name in "abc"} == {"numeric"}


def test_texts_of_parquet_are_of_the_types_that_csv_has_but_no_numbers(parquet):
    texts = {
        "born": [f"2020-01-{1 + i % 28:02}" for i in range(N)],
        "price": [f"$1,{200 + i}.50" for i in range(N)],
        "share": [f" {i}.5%" for i in range(N)],
        "member": ["yes" if i % 2 else "no" for i in range(N)],
        "code": [f"{i % 7}" for i in range(N)],
        "groups": [f"1,{200 + i % 7}" for i in range(N)],
        "marked": [r"\N" if i == 2 else f"2020-01-{1 + i % 28:02}" for i in range(N)],
    }
    spec = parquet(frame(**texts)).spec
    assert [types(spec)[name] for name in texts] == [
        "date", "currency", "percent", "boolean", "string", "string", "date",
    ]  # fmt: skip
    assert {column.name: column.unit for column in spec.columns}["price"] == "$"


def test_parquet_whole_numbers_of_databases_may_be_an_index(parquet):
    places = [decimal.Decimal(place) for place in range(N)]
    file = frame(nr=places, account_id=[place + 10**9 for place in places])
    spec = parquet(file.astype({"nr": pd.ArrowDtype(pa.decimal128(38, 0)), "account_id": "uint64"})).spec
    assert {roles(spec)[name] for name in ("nr", "account_id")} == {"ignored"}
    assert types(spec)["nr"] == "integer"


def test_parquet_files_with_times_in_two_units_are_refused(spark, tmp_path):
    times = [10**15 + place * 10**10 for place in range(N)]
    for unit, factor in (("ns", 1000), ("us", 1)):
        at = pa.array([time * factor for time in times], pa.timestamp(unit))
        pq.write_table(pa.table({"at": at, "y": frame()["y"]}), tmp_path / f"{unit}.parquet")
    assert (
        types(infer_table(spark, f"file://{tmp_path}/us.parquet", Given("t", "y")).spec)["at"]
        == "timestamp"
    )
    # Of the names, that of nanoseconds is the first.
    with pytest.raises(UserError, match=r"us.parquet: column 'at' is TIMESTAMP\(MICROS.*, but TIMESTAMP"):
        infer_table(spark, f"file://{tmp_path}", Given("t", "y"))


DAYS = range(19_000, 19_000 + N)
PARTS = {
    "text after fractions": (pa.array([0.5] * N), pa.array(["a"] * N), "STRING, but DOUBLE"),
    "days after numbers": (pa.array(DAYS, pa.int32()), pa.array(DAYS, pa.date32()), "DATE, but a plain"),
    "times after numbers": (
        pa.array(DAYS),
        pa.array(DAYS, pa.timestamp("us")),
        "TIMESTAMP.*, but a plain",
    ),
    "shorts after bytes": (pa.array(range(N), pa.int8()), pa.array(DAYS, pa.int16()), r"INTEGER\(16"),
    "integers after shorts": (pa.array(DAYS, pa.int16()), pa.array(DAYS, pa.int32()), "a plain value"),
    "unsigned after signed": (pa.array(DAYS), pa.array(DAYS, pa.uint64()), "INTEGER.*, but a plain"),
    "hundredths after numbers": (
        pa.array(DAYS),
        pa.array([decimal.Decimal(day) for day in DAYS], pa.decimal128(9, 2)),
        "DECIMAL.*, but a plain",
    ),
}


def parts(folder, **columns):
    for number, found in enumerate(zip(*columns.values(), strict=True)):
        given = {name: one for name, one in zip(columns, found, strict=True) if one is not None}
        labels = [f"{place % 2}" for place in range(len(next(iter(given.values()))))]
        pq.write_table(pa.table({**given, "y": labels}), folder / f"{number}.parquet")
    return f"file://{folder}"


@pytest.mark.parametrize("name", PARTS)
def test_parquet_files_of_two_meanings_are_refused(spark, tmp_path, name):
    first, second, said = PARTS[name]
    with pytest.raises(UserError, match=f"1.parquet: column 'a' is {said}.* in files before it"):
        infer_table(spark, parts(tmp_path, a=(first, second)), Given("t", "y"))


def test_number_that_may_be_a_code_is_told(infer, spark, tmp_path):
    aged = "".join(f"{-999 if row % 7 == 3 else 20 + row},{'ab'[row % 2]}\n" for row in range(N))
    found = infer("age,y\n" + aged)
    assert "; -999 beside 20 to 59: list it under" in found.spec.columns[0].why
    (tmp_path / "parts").mkdir()
    typed = parts(
        tmp_path / "parts", a=(pa.array([9999.0 if row % 7 == 3 else row for row in range(N)]),)
    )
    spec = infer_table(spark, typed, Given("t", "y", missing=("-999",))).spec
    assert "; 9999 beside 0 to 39: list it" in spec.columns[0].why


@pytest.mark.parametrize(("kind", "said"), [(pa.time32("s"), r"TIME\("), (pa.float16(), "FLOAT16")])
def test_column_of_a_type_that_spark_does_not_know_is_named(spark, tmp_path, kind, said):
    odd = pa.array([1, 2] * 20, pa.int32()).cast(kind)
    with pytest.raises(UserError, match=f"0.parquet: column 'a' is {said}.*, which Spark does not read"):
        infer_table(spark, parts(tmp_path, a=(odd,), b=(pa.array(DAYS),)), Given("t", "y"))


def test_folders_named_by_a_columns_value_give_the_column(spark, tmp_path):
    for kind in ("a", "b c"):
        folder = tmp_path / "table=1" / f"kind={kind}" / "year=2024"
        folder.mkdir(parents=True)
        parts(folder, n=(pa.array(DAYS), pa.array(DAYS)))
    found = infer_table(spark, f"file://{tmp_path}/table=1", Given("t", "y"))
    kinds = types(found.spec)
    assert (kinds["n"], kinds["kind"], kinds["year"]) == ("integer", "string", "integer")
    rows = read_source(spark, found.spec, Location("path", f"file://{tmp_path}/table=1", "")).frame
    counts = {row["kind"]: row["count"] for row in rows.groupBy("kind").count().collect()}
    assert counts == {"a": 2 * N, "b c": 2 * N}


def test_folders_named_by_codes_keep_their_zeros(spark, tmp_path):
    for code, month in (("01067", "07"), ("10115", "08")):
        folder = tmp_path / f"zip code={code}" / f"month={month}"
        folder.mkdir(parents=True)
        later = {"later": (pa.array(DAYS),)} if month == "08" else {}
        parts(folder, n=(pa.array(DAYS),), **later)
    uri = f"file://{tmp_path}"
    found = infer_table(spark, uri, Given("t", "y"))
    kinds = types(found.spec)
    assert (kinds["n"], kinds["zip code"], kinds["month"]) == ("integer", "string", "integer")
    rows = read_source(spark, found.spec, Location("path", uri, "")).frame
    assert {tuple(row) for row in rows.groupBy("zip code", "month").agg(F.count("later")).collect()} == {
        ("01067", 7, 0),
        ("10115", 8, N),
    }


def test_folders_of_csv_named_by_a_columns_value_are_refused(spark, tmp_path):
    (tmp_path / "kind=a").mkdir()
    (tmp_path / "kind=a" / "0.csv").write_text(lines(rows=ROWS))
    with pytest.raises(UserError, match="has CSV in folders such as kind=a, whose values are not in"):
        infer_table(spark, f"file://{tmp_path}", Given("t", "y"))
    assert infer_table(spark, f"file://{tmp_path}/kind=a", Given("t", "y")).spec.names


@pytest.mark.parametrize("folders", [("", "", ""), ("year=2023", "year=2024", "year=2025")])
def test_columns_that_only_later_parquet_files_have_are_read_and_told(spark, tmp_path, folders):
    some, wide = pa.array(DAYS), pa.array([None if day % 3 else day / 2 for day in DAYS])
    uri = parts(tmp_path, a=(some, some, some), b=(None, None, some), **{"c.d": (None, wide, wide)})
    for place, folder in enumerate(folders):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / f"{place}.parquet").rename(tmp_path / folder / f"{place}.parquet")
    found = infer_table(spark, uri, Given("t", "y"))
    assert (types(found.spec)["b"], types(found.spec)["c.d"]) == ("integer", "double")
    source = read_source(spark, found.spec, Location("path", uri, ""))
    assert "; column 'c.d' is not in 1 of 3 files, the first file:" in source.told
    assert "; column 'b' is not in 2 of 3 files, the first file:" in source.told
    rows = source.frame.toPandas()
    assert sorted(rows["a"]) == sorted([*DAYS] * 3)
    assert sorted(rows["b"].dropna()) == sorted(DAYS)
    assert sorted(rows["c.d"].dropna()) == sorted(2 * [day / 2 for day in DAYS if day % 3 == 0])


def test_later_parquet_file_with_a_name_of_another_case_is_refused(spark, tmp_path):
    some = pa.array(DAYS)
    with pytest.raises(UserError, match="has the columns 'a' and 'A', which Spark takes for one"):
        infer_table(
            spark, parts(tmp_path, a=(some, None), A=(None, some), b=(some, some)), Given("t", "y")
        )


def test_column_of_later_parquet_files_that_is_stored_in_two_ways_is_read(spark, tmp_path):
    whole, parted = pa.array(DAYS), pa.array([day + 0.5 for day in DAYS])
    uri = parts(tmp_path, a=(whole, whole, whole), b=(None, whole, parted))
    found = infer_table(spark, uri, Given("t", "y"))
    rows = read_source(spark, found.spec, Location("path", uri, "")).frame.toPandas()
    assert sorted(rows["b"].dropna()) == sorted([*DAYS, *(day + 0.5 for day in DAYS)])


def test_columns_that_later_parquet_files_lack_are_told(spark, tmp_path):
    some = pa.array(DAYS)
    uri = parts(tmp_path, a=(some, some, some), b=(some, None, None), c=(some, some, None))
    found = infer_table(spark, uri, Given("t", "y"))
    source = read_source(spark, found.spec, Location("path", uri, ""))
    first, second = (f"the first file:{tmp_path}/{place}.parquet: their rows have" for place in (1, 2))
    assert f"; column 'b' is not in 2 of 3 files, {first} no value there; column 'c'" in source.told
    assert source.told.endswith(f"'c' is not in 1 of 3 files, {second} no value there")
    assert source.frame.where("b is null").count() == 2 * len(DAYS)


# What files store in a column, the type as which all are read, and the values.
UNLIKE = {
    "fractions after integers": ([1, 2], [1.5, None], "double", [1, 2, 1.5, None]),
    "integers after fractions": ([1.5, None], [1, 2], "double", [1.5, None, 1, 2]),
    "nulls after texts": (["a", "b"], [None, None], "string", ["a", "b", None, None]),
    "texts after nulls": ([None, None], ["a", "b"], "string", [None, None, "a", "b"]),
    "nulls after integers": ([1, 2], [None, None], "integer", [1, 2, None, None]),
    "times after nulls": (
        [None, None],
        [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, 12)],
        "timestamp",
        [None, None, datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, 12)],
    ),
}


def test_parquet_files_of_integers_fractions_and_nulls_are_one_table(spark, tmp_path):
    columns = {name: [pa.array(values * 5) for values in UNLIKE[name][:2]] for name in UNLIKE}
    for column in columns["times after nulls"][1:]:
        columns["times after nulls"][1] = column.cast(pa.timestamp("ns"))
    uri = parts(tmp_path, **columns, n=[pa.array([*range(first, first + 10)]) for first in (0, 10)])
    found = infer_table(spark, uri, Given("t", "y"))
    source = read_source(spark, found.spec, Location("path", uri, ""))
    rows = source.frame.orderBy("n").collect()
    for name, (_, _, kind, values) in UNLIKE.items():
        assert types(found.spec)[name] == kind
        assert [rows[place][name] for place in (0, 1, 10, 11)] == values
    for name in list(UNLIKE)[:2]:
        assert (
            f"column {name!r} is stored as integers in 1 of 2 files and as floating-point" in source.told
        )


def test_parquet_that_spark_does_not_read_is_refused_with_the_reason(spark, tmp_path):
    table = pa.table({"a": [decimal.Decimal(1)] * 20, "y": ["no", "yes"] * 10})
    wide = table.set_column(0, "a", table["a"].cast(pa.decimal256(60, 10)))
    pq.write_table(wide, tmp_path / "wide.parquet")
    with pytest.raises(UserError, match=r"column 'a' is DECIMAL\(60,10\), which Spark does not read"):
        infer_table(spark, f"file://{tmp_path}/wide.parquet", Given("t", "y"))
    split = pa.table({"a": [n / 7 for n in range(20)], "y": ["no", "yes"] * 10})
    path = tmp_path / "split.parquet"
    pq.write_table(split, path, use_byte_stream_split=["a"], use_dictionary=False)
    with pytest.raises(UserError, match=r"split.parquet.*: Unsupported encoding: BYTE_STREAM_SPLIT$"):
        infer_table(spark, f"file://{path}", Given("t", "y"))


def test_parquet_files_of_wider_and_narrower_integers_are_one_table(spark, tmp_path):
    wide, narrow = (pa.array(DAYS, kind) for kind in (pa.int64(), pa.int16()))
    spec = infer_table(spark, parts(tmp_path, a=(wide, narrow), b=(narrow, None)), Given("t", "y")).spec
    assert {types(spec)[name] for name in "ab"} == {"integer"}


def test_folder_with_one_header_a_file_is_one_table(spark, tmp_path):
    for part in range(2):
        (tmp_path / f"part{part}.csv").write_text(lines(rows=ROWS[part::2]))
    assert types(infer_table(spark, f"file://{tmp_path}", Given("t", "y")).spec) == KINDS


# Of each file: its separator, and how numbers are written that only later records have.
LATE_MARKS = {
    "comma": (";", "{},5", ",", 2.5),
    "comma after tabs": ("\t", "{},5", ",", 2.5),
    "comma in quotes": (",", '"{},5"', ",", 2.5),
    "amounts": (";", "{},50 €", ",", 2.5),
    "thousands": (";", "{}.250", ",", 2250),
    "negative amounts with thousands": (";", "-1.00{},50", ",", -1002.5),
    "point": (";", "{}.5", ".", 2.5),
    "point after tabs": ("\t", "{}.5", ".", 2.5),
    "thousands after tabs": ("\t", "{},250", ".", 2250),
}


def few_looked_at(monkeypatch):
    monkeypatch.setattr(dialect, "MOST", 20)
    monkeypatch.setattr(rows_module, "MOST", 20)


@pytest.mark.parametrize("name", LATE_MARKS)
def test_decimal_mark_that_only_later_records_have_is_found(spark, infer, monkeypatch, tmp_path, name):
    few_looked_at(monkeypatch)
    separator, form, decimal, value = LATE_MARKS[name]
    rows = [[str(i % 7), "01.02.2024", ("no", "yes")[i % 3 > 0]] for i in range(30)]
    late = [[form.format(2), "01.02.2024", "no"] for _ in range(3)]
    text = lines(separator, rows + late, ["n", "day", "y"])
    found = infer(text)
    assert found.spec.decimal == decimal
    read = read_source(spark, found.spec, Location("path", f"file://{tmp_path}/table.csv", ""))
    assert [row["n"] for row in read.frame.where("n < 0 or n > 6 or n = 2.5").collect()] == [value] * 3


def test_decimal_mark_at_the_beginning_or_given_is_kept(infer, monkeypatch):
    few_looked_at(monkeypatch)
    rows = [[f"{i % 7}.5", ("no", "yes")[i % 3 > 0]] for i in range(30)] + [["1,5", "no"]] * 20
    found = infer(lines(";", rows, ["n", "y"]))
    assert found.spec.decimal == "."
    assert "1,5 is no number by the file's decimal mark" in found.spec.columns[0].why
    whole = [[str(i % 7), ("no", "yes")[i % 3 > 0]] for i in range(30)] + [["1,5", "no"]] * 20
    assert infer(lines(";", whole, ["n", "y"]), decimal=".").spec.decimal == "."


SENT = {
    "owed": ("1.2{:02},50-", -1200.5),
    "owed in a currency": ("3{:02},50- EUR", -300.5),
    "with a sign": ("-3{:02},5", -300.5),
}


@pytest.mark.parametrize("name", SENT)
def test_amounts_that_end_in_a_minus_are_negative(spark, infer, tmp_path, name):
    form, first = SENT[name]
    rows = [[form.format(i), f"{i},25", ("no", "yes")[i % 3 > 0]] for i in range(30)]
    found = infer(lines(";", rows, ["n", "m", "y"]))
    read = read_source(spark, found.spec, Location("path", f"file://{tmp_path}/table.csv", ""))
    assert sorted(row["n"] for row in read.frame.collect())[-1] == first
    assert found.spec.decimal == ","


def test_thousands_of_india_are_amounts(spark, infer, tmp_path):
    rows = [
        [f'"{i + 1},34,567"', f'"\u20b91,{i + 10},34,567.50"', ("no", "yes")[i % 3 > 0]]
        for i in range(30)
    ]
    rows[3][0] = '"45,000"'
    found = infer(lines(",", rows, ["n", "m", "y"]))
    assert [column.type for column in found.spec.columns[:2]] == ["currency"] * 2
    read = read_source(spark, found.spec, Location("path", f"file://{tmp_path}/table.csv", ""))
    (row,) = read.frame.where("n = 134567").collect()
    assert (row["n"], row["m"]) == (134567, 11034567.5)


@pytest.mark.parametrize("mark", ["inf", "-Infinity", "n.a.", "#NV", "\u2013", "(blank)"])
def test_what_programs_write_for_no_number_is_missing_among_numbers(infer, mark):
    rows = [[*row[:2], mark if place % 4 == 0 else row[2], *row[3:]] for place, row in enumerate(ROWS)]
    found = infer(lines(rows=rows))
    assert (types(found.spec), found.spec.missing) == (KINDS, (mark,))
    assert f"taken for missing values: {mark} ({N // 4}, most in 'wage')" in found.told
