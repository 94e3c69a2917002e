"""A spec inferred from a part of the rows is that of all of them, whatever the others hold."""

import pandas as pd
import pytest

from common.data.fetch import Location
from common.data.infer import find_again, find_spec, rows
from common.data.load import read_found
from common.data.spec_yaml import parse_spec, to_yaml
from common.errors import UserError

N, LATE = 600, 333
NOT_LOOKED_AT = (60, 113, 62, 219, 272, 325, 378, 431, 61, 537)
HEAD = ["n", "price", "city", "day", "same", "y"]


def cells(place, **late):
    found = {
        "n": str(place % 7 + 1),
        "price": f"{place * 7 % 40}.5",
        "city": ("Ulm", "Bonn", "Kiel")[place % 3],
        "day": f"2024-01-{place % 28 + 1:02d}",
        "same": "1",
        "y": "yes" if place % 4 else "no",
        "more": str(place * 31 % 97),
    }
    return [{**found, **(late if place == LATE else {})}[name] for name in (*HEAD[:-1], "more", "y")]


def table(**late):
    """CSV of which one row has other cells, which is not among those looked at."""
    lines = [[*HEAD[:-1], "more", "y"], *(cells(place, **late) for place in range(N))]
    return "".join(",".join(line) + "\n" for line in lines)


@pytest.fixture
def few(monkeypatch):
    """Large tables are those of more than 100 rows."""
    monkeypatch.setattr(rows, "MOST_CELLS", 0)
    monkeypatch.setattr(rows, "LEAST_ROWS", 100)


@pytest.fixture
def load(spark, few, tmp_path):
    def load(content, name="table.csv", dataset="auto"):
        file = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(file)
        else:
            file.write_text(content)
        first = find_spec(spark, dataset, f"file://{file}", "y")
        assert first.part is not None
        return first, *read_found(spark, first)

    return load


def columns(found):
    return {column.name: (column.type, column.role) for column in found.spec.columns}


def test_part_of_a_large_table_is_looked_at_and_said(load):
    first, found, source = load(table())
    assert found == first
    assert 50 < found.part[1].looked < 200
    assert f"inferred from {found.part[1].looked:,} of 600 rows" in found.told[0]
    # The label is counted over all rows, and so is a column that seems constant.
    assert "no (150 rows), yes (450 rows, positive" in found.told[1]
    assert columns(found)["same"] == ("integer", "ignored")
    assert source.frame.count() == N


# What is said of it; WIDENED has more kinds, all in one table.
LATER = {
    "text among whole numbers": ({"n": "many"}, "n", "'many', expected a whole number"),
    "code among numbers": ({"price": "007"}, "price", "digits after a zero"),
    "amount among numbers": ({"price": "$5"}, "price", "'$5', expected a finite number"),
    "two at once": ({"n": "2.5", "day": "soon"}, "n", "expected a whole number"),
}


@pytest.mark.parametrize("name", LATER)
def test_value_that_comes_late_widens_the_column(spark, load, name):
    late, column, why = LATER[name]
    first, found, source = load(table(**late))
    whole = find_again(spark, first, None)
    assert columns(first)[column] != columns(found)[column]
    assert columns(found) == columns(whole)
    assert found.spec.missing == whole.spec.missing
    assert source.frame.count() == N
    said = [line for line in found.told if line.startswith("inferred again")]
    assert len(said) == 1
    assert f"'{column}' is {columns(found)[column][0]}" in said[0]
    assert why in said[0]


# Of each column: its values, a later one that is none of its type or that its reader takes as well, its
# type without that, and with it.
WIDENED = {
    "fraction among whole numbers": (("{}",), "2.5", "integer", "double"),
    "code among whole numbers": (("{}",), "007", "integer", "string"),
    "amount among numbers": (("{}.5",), "$5", "double", "currency"),
    "time among dates": (("2024-01-{:02d}",), "2024-01-01 12:30", "date", "timestamp"),
    "another currency": (("${}.5",), "€7", "currency", "string"),
    "letters that are no currency": (("${}.5",), "9 XYZ", "currency", "string"),
    "a code among amounts": (("${}.5",), "007", "currency", "string"),
    "digits in groups": (("${}.5",), "555 123", "currency", "string"),
    "a share among percentages": (("{}.5%",), "0.125", "percent", "string"),
    "another pair of words": (("yes", "no"), "t", "boolean", "string"),
}
MARKED = {
    "numbers": (("{}",), "NA", "integer", "integer"),
    "fractions": (("{}.5",), "-", "double", "double"),
    "texts": (("Ulm", "Kiel"), "n/a", "string", "string"),
    "days": (("2024-01-{:02d}",), "NULL", "date", "date"),
}
NOTHING_NEW = {
    "dollars": (("${}.5",), "$9", "currency", "currency"),
    "numbers": (("${}.5",), "9", "currency", "currency"),
    "missing": (("${}.5", "NULL"), "NULL", "currency", "currency"),
    "words": (("yes", "no"), "No", "boolean", "boolean"),
}


def with_late(columns):
    """CSV with such columns, each with its later value in a row of its own that is not looked at."""
    # Equal rows would be looked at all or none.
    lines = [[*columns, "at", "y"]]
    for row in range(N):
        cells = [forms[row % len(forms)].format(row * 5 % 28 + 1) for forms, *_ in columns.values()]
        lines.append([*cells, str(row * 7919 % 100_003), "yes" if row % 4 else "no"])
    for place, (_, late, *_) in enumerate(columns.values()):
        lines[NOT_LOOKED_AT[place]][place] = late
    return "".join(",".join(line) + "\n" for line in lines)


def types_of(found):
    return {name: type_ for name, (type_, _) in columns(found).items() if name not in ("at", "y")}


def test_values_that_come_late_widen_their_columns_as_all_rows_would(spark, load):
    first, found, source = load(with_late(WIDENED))
    assert types_of(first) == {name: before for name, (_, _, before, _) in WIDENED.items()}
    assert types_of(found) == {name: after for name, (*_, after) in WIDENED.items()}
    assert columns(found) == columns(find_again(spark, first, None))
    assert source.frame.count() == N


def test_marks_of_missing_values_that_come_late_are_ones(spark, load):
    first, found, source = load(with_late(MARKED))
    markers = {marker for _, marker, *_ in MARKED.values()}
    assert not markers & set(first.spec.missing)
    assert set(found.spec.missing) == markers
    assert found.spec.missing == find_again(spark, first, None).spec.missing
    assert types_of(found) == types_of(first) == {name: after for name, (*_, after) in MARKED.items()}
    assert source.missing == {**dict.fromkeys(MARKED, 1 / N), "at": 0, "y": 0}
    said = " ".join(line for line in found.told if "marks a missing value" in line)
    assert all(marker in said for marker in markers)


def test_values_of_a_known_kind_that_come_late_are_nothing_new(load):
    _, found, _ = load(with_late(NOTHING_NEW))
    assert types_of(found) == {name: after for name, (*_, after) in NOTHING_NEW.items()}
    assert not [line for line in found.told if line.startswith("inferred again")]


def test_text_of_parquet_that_comes_late_is_asked_about_too(load):
    paid = [f"${place % 40}.5" for place in range(N)]
    table = pd.DataFrame({"paid": paid, "at": range(N), "y": ["no", "no", "yes"] * (N // 3)})
    table.loc[LATE, "paid"] = "€7"
    first, found, _ = load(table, name="table.parquet")
    assert columns(first)["paid"][0] == "currency"
    assert columns(found)["paid"][0] == "string"


def test_column_of_few_numbers_is_judged_by_all_rows(load):
    # Equal rows would be looked at all or none.
    at = [place * 7919 % 100_003 for place in range(N)]
    sparse = pd.DataFrame({"rare": [None] * N, "at": at, "y": ["no", "no", "yes"] * (N // 3)})
    sparse.loc[range(0, N, N // 12), "rare"] = range(12)
    first, _, _ = load(sparse.astype({"rare": float}), name="table.parquet")
    assert columns(first)["rare"] == ("double", "numeric")


def test_missing_value_that_comes_late_is_counted(load):
    first, found, source = load(table(n=""))
    assert (first.spec.columns[0].missing, source.missing["n"]) == (0, 1 / N)
    assert found == first


def test_word_that_marks_nothing_in_a_text_is_asked_about_and_kept(load):
    first, found, _ = load(table(city="None"))
    assert found == first
    assert "None" not in found.spec.missing


def test_label_that_comes_late_is_one(load):
    text = table().replace("yes", "perhaps", 2)
    assert load(text)[1].spec.labels == ("no", "perhaps", "yes")


def test_role_that_depends_on_all_rows_comes_from_all(load):
    row = range(N)
    frame = pd.DataFrame({
        "place": row,
        "seems constant": [float(place == LATE) for place in row],
        "seems unique": [f"user {place // 2}" for place in row],
        "user": [f"user {place}" for place in row],
        "seems empty": ["x" if place in (LATE, LATE + 1) else None for place in row],
        "amount": [place * 7919 % 100_003 for place in row],
        "y": ["yes" if place % 4 else "no" for place in row],
    })  # fmt: skip
    _, found, _ = load(frame, "table.parquet")
    assert {name: role for name, (_, role) in columns(found).items()} == {
        "place": "ignored",
        "seems constant": "numeric",
        "seems unique": "category",
        "user": "ignored",
        "seems empty": "category",
        "amount": "numeric",
        "y": "label",
    }


def test_row_that_no_spec_fits_is_refused_with_its_line(load):
    with pytest.raises(UserError, match=r"line 335 has 8 fields, expected 7$"):
        load(table(city="a,b"))


def test_value_that_is_not_of_the_given_type_is_refused(load, tmp_path):
    given = tmp_path / "given.yaml"
    given.write_text("name: t\nlabel: y\ncolumns:\n  - {name: n, type: integer}\n")
    with pytest.raises(UserError, match=r"line 335: column 'n' is 'many', expected a whole number$"):
        load(table(n="many"), dataset=str(given))


def test_part_is_the_same_however_the_files_are_divided(spark, load, tmp_path):
    first, _, _ = load(table())
    before = spark.conf.get("spark.sql.files.maxPartitionBytes")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "2000")
    try:
        again = find_spec(spark, "auto", f"file://{tmp_path}/table.csv", "y")
    finally:
        spark.conf.set("spark.sql.files.maxPartitionBytes", before)
    assert (again.spec, again.told) == (first.spec, first.told)


def test_equal_rows_of_which_none_would_be_looked_at_are_all_looked_at(spark, few, monkeypatch, tmp_path):
    monkeypatch.setattr(rows, "LEAST_ROWS", 1)
    (tmp_path / "equal.csv").write_text("a,b,y\n" + "1,x,yes\n2,z,no\n" * 300)
    found = find_spec(spark, "auto", f"file://{tmp_path}/equal.csv", "y")
    assert found.part is None
    assert isinstance(found.location, Location)
    assert columns(found) == {
        "a": ("integer", "numeric"),
        "b": ("string", "category"),
        "y": ("string", "label"),
    }


@pytest.mark.parametrize("seed", range(4))
def test_few_different_rows_are_all_looked_at(spark, few, tmp_path, seed):
    """A part would have all rows of some contents and none of the others."""
    colours = [f"{seed} {colour}" for colour in ("red", "blue", "green", "black", "white", "grey")]
    lines = [f"{colour},{size},{'yes' if size > 1 else 'no'}" for colour in colours for size in (1, 2)]
    (tmp_path / "few.csv").write_text("\n".join(["colour,size,y", *lines * 50, ",,no"]))
    found = find_spec(spark, "auto", f"file://{tmp_path}/few.csv", "y")
    assert found.part is None
    assert isinstance(found.location, Location)
    assert found.spec.columns[0].why == "text, 6 values"
    assert found.spec.columns[0].missing > 0


def test_currency_that_comes_late_is_kept(load):
    first, found, source = load(with_late({"price": (("1'{:03d}",), "$1'234")}))
    assert [one.spec.columns[0].type for one in (first, found)] == ["currency"] * 2
    assert [one.spec.columns[0].unit for one in (first, found)] == ["", "$"]
    assert source.frame.count() == N


def test_second_currency_of_what_the_user_calls_amounts_is_told(load, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nlabel: y\ncolumns: [{name: price, type: currency}]\n")
    first, found, source = load(with_late({"price": (("${}.5",), "€7")}), dataset=str(path))
    assert [one.spec.columns[0].unit for one in (first, found)] == ["$", ""]
    assert "amounts of 'price' are in several currencies" in found.told[0]
    assert source.frame.count() == N


def test_rows_of_a_label_that_is_left_out_are_none_and_told(load, tmp_path):
    with pytest.raises(UserError, match=r"'maybe' in only 1 row: .* by leave_out: \[.maybe.\] in"):
        load(table(y="maybe"))
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: t\nlabel: y\nleave_out: [maybe]\n")
    _, found, read = load(table(y="maybe"), dataset=str(mine))
    assert (found.spec.labels, found.spec.leave_out) == (("no", "yes"), ("maybe",))
    assert read.told.endswith("; 1 row without a label or with maybe was left out")
    assert read.frame.count() == N - 1
    assert {row.y for row in read.frame.select("y").distinct().collect()} == {"no", "yes"}
    # A complete spec that was written has it as well.
    assert parse_spec(to_yaml(found.spec), "t") == found.spec
