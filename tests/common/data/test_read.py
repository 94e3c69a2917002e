import time

import pytest
import yaml

from common.data.fetch import locate
from common.data.read import read, read_source, with_missing
from common.data.spec_yaml import parse_spec
from common.errors import UserError

LINES = [
    "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male,"
    " 2174, 0, 40, United-States, <=50K",
    "50, ?, 83311, Bachelors, 13, Married-civ-spouse, Exec-managerial, Husband, White, Male,"
    " 0, 0, 13, United-States, >50K",
]


@pytest.fixture
def load(spark, spec, tmp_path):
    def load(lines):
        path = tmp_path / "data.csv"
        path.write_text("\n".join(lines) + "\n")
        return read(spark, spec, locate(spec, str(path)))

    return load


def test_values_are_trimmed_and_typed_and_the_marker_is_a_null(load, spec):
    frame = load([*LINES, ""])
    assert frame.schema == spec.schema
    first, second = frame.orderBy("age").collect()
    assert (first.age, first.workclass, first.income) == (39, "State-gov", "<=50K")
    assert second.workclass is None


def test_marker_in_a_number_column_is_a_null(load):
    assert load([LINES[0].replace("39", "?", 1)]).first().age is None


def test_header_of_the_columns_names_is_no_row(load, spec):
    assert load([",".join(spec.names), *LINES]).count() == 2


def test_integer_that_pandas_wrote_as_a_float_is_read(load):
    assert load([LINES[0].replace("39", "39.0", 1)]).first().age == 39


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (LINES[1].replace(", Male", ""), "line 2 has 14 fields, expected 15"),
        (LINES[1] + ", x", "line 2 has 16 fields, expected 15"),
        (LINES[1].replace("50", "fifty", 1), "line 2: column 'age' is 'fifty', expected a whole number"),
        (LINES[1].replace("50", "50.5", 1), "line 2: column 'age' is 50.5, expected a whole number"),
        (
            LINES[1].replace(">50K", "50K"),
            "line 2: column 'income' is '50K', expected one of <=50K, >50K",
        ),
    ],
)
def test_bad_line_is_refused_by_its_number(load, line, message):
    with pytest.raises(UserError, match=message.replace("(", r"\(") + "$"):
        load([LINES[0], line])


def test_rows_without_a_label_are_left_out_counted_and_told(spark, spec, tmp_path):
    path = tmp_path / "data.csv"
    unlabelled = [LINES[1].replace(">50K", label) for label in ("", "?")]
    path.write_text("\n".join([*LINES, *unlabelled]))
    found = read_source(spark, spec, locate(spec, str(path)))
    assert found.frame.count() == 2
    assert found.unlabelled == 2
    assert found.told == "CSV in utf-8 without a header; 2 rows without a label were left out"
    # The shares are those of the rows that are kept.
    assert {name: share for name, share in found.missing.items() if share} == {"workclass": 0.5}
    known = with_missing(spec, found.missing)
    assert [column.missing for column in known.columns[:3]] == [0.0, 0.5, 0.0]
    path.write_text("\n".join(unlabelled))
    with pytest.raises(UserError, match="has no label: the column 'income' is always null"):
        read_source(spark, spec, locate(spec, str(path)))


def test_row_without_a_label_is_refused_if_it_is_bad_in_another_way(load):
    with pytest.raises(UserError, match="line 2: column 'age' is 'x', expected a whole number"):
        load([LINES[0], LINES[1].replace(">50K", "").replace("50", "x", 1)])


NUMBERS = """
name: numbers
label: y
labels: []
task: regression
strata: []
columns:
  - {name: x, type: double, role: numeric}
  - {name: w, type: WEIGHT, role: weight}
  - {name: y, type: double, role: label}
"""


@pytest.fixture
def numbers(spark, tmp_path):
    def numbers(rows, kind="integer"):
        spec = parse_spec(NUMBERS.replace("WEIGHT", kind), "numbers")
        path = tmp_path / "numbers.csv"
        path.write_text("x,w,y\n" + "".join(row + "\n" for row in rows))
        return read_source(spark, spec, locate(spec, str(path)))

    return numbers


def test_label_that_is_a_number_may_be_any(numbers):
    found = numbers(["1,1,0.5", ",0,-7", "2,1,", "3,,"])
    assert [tuple(row) for row in found.frame.collect()] == [(1.0, 1, 0.5), (None, 0, -7.0)]
    assert (found.unlabelled, found.missing) == (2, {"x": 0.5, "w": 0.0, "y": 0.0})
    with pytest.raises(UserError, match="line 3: column 'y' is 'a', expected a finite number"):
        numbers(["1,1,0.5", "1,1,a"])


@pytest.mark.parametrize(
    ("weight", "kind", "what"),
    [
        ("-1", "integer", "-1"),
        ("-0.5", "double", "-0.5"),
        ("", "double", "null"),
        ("?", "integer", "null"),
    ],
)
def test_weight_that_is_none_is_refused(numbers, weight, kind, what):
    with pytest.raises(UserError, match=f"line 3: column 'w' is {what}, expected a weight of 0 or more"):
        numbers(["1,1,2", f"1,{weight},2"], kind)


def test_hundreds_of_columns_are_read(spark, tmp_path):
    names = [f"x.{place}" for place in range(300)]
    columns = [{"name": name, "type": "double", "role": "numeric"} for name in names]
    label = {"name": "y", "type": "string", "role": "label"}
    told = {"name": "hundreds", "label": "y", "labels": ["no", "yes"], "positive": "yes"}
    spec = parse_spec(yaml.safe_dump(told | {"strata": [], "columns": [*columns, label]}), "hundreds")
    path = tmp_path / "hundreds.csv"
    path.write_text(",".join([*names, "y"]) + "\n" + "".join("0.5," * 299 + "?,yes\n" for _ in range(3)))
    found = read_source(spark, spec, locate(spec, str(path)))
    assert found.frame.schema == spec.schema
    assert [sum(row[:299]) for row in found.frame.collect()] == [149.5] * 3
    assert {name: share for name, share in found.missing.items() if share} == {"x.299": 1.0}


def test_bad_line_is_found_in_a_file_of_a_folder_with_a_strange_name(spark, spec, tmp_path):
    folder = tmp_path / "my données 100%"
    folder.mkdir()
    (folder / "good one.csv").write_text("\n".join(LINES))
    (folder / "bad one.csv").write_text(LINES[0] + "\nx\n")
    with pytest.raises(UserError, match=r"my données 100%/bad one.csv: line 2 has 1 fields"):
        read(spark, spec, locate(spec, str(folder)))
    (folder / "bad one.csv").unlink()
    assert read(spark, spec, locate(spec, str(folder))).count() == 2


def test_first_bad_line_is_named_and_all_are_counted(load):
    bad = LINES[0].replace("39", "x", 1)
    with pytest.raises(UserError, match=r"line 3: column 'age' is 'x'.* \(2 invalid rows in total\)"):
        load([LINES[0], LINES[1], bad, LINES[0], bad])


def test_file_of_blank_lines_is_refused(load):
    with pytest.raises(UserError, match="has no rows"):
        load(["", " "])


def test_parquet_is_read_with_the_same_checks(spark, spec, people, tmp_path):
    path = str(tmp_path / "data.parquet")
    people.withColumnRenamed("sex", "gender").write.parquet(path)
    with pytest.raises(UserError, match="has no column 'sex'; it has age"):
        read(spark, spec, locate(spec, path))
    people.write.mode("overwrite").parquet(path)
    assert read(spark, spec, locate(spec, path)).count() == people.count()
    people.replace("<=50K", "poor", "income").write.mode("overwrite").parquet(path)
    with pytest.raises(UserError, match="a row: column 'income' is 'poor'"):
        read(spark, spec, locate(spec, path))


def test_uri_that_no_file_system_reads_is_one_line(spark, spec):
    with pytest.raises(UserError, match='cannot be reached: .*No FileSystem for scheme "nofs"'):
        read(spark, spec, locate(spec, "nofs://host/data.csv"))


@pytest.fixture
def many_numbers(spark, tmp_path):
    """A file with 33 integer columns: Spark's generated code would exceed the limit of a Java method."""
    names = [f"number{place}" for place in range(33)]
    columns = [{"name": name, "type": "integer", "role": "numeric"} for name in names]
    label = {"name": "kind", "type": "string", "role": "label"}
    told = {"name": "wide", "label": "kind", "labels": ["no", "yes"], "positive": "yes"}
    told |= {"strata": ["kind"], "columns": [*columns, label]}
    file = tmp_path / "wide.csv"
    file.write_text("".join(f"{','.join(map(str, range(33)))},{kind}\n" for kind in ("yes", "no")))
    before = spark.conf.get("spark.sql.codegen.wholeStage")
    yield parse_spec(yaml.safe_dump(told), "wide"), file
    spark.conf.set("spark.sql.codegen.wholeStage", before)


def test_many_numbers_are_read_without_a_word(spark, many_numbers, capfd):
    spec, file = many_numbers
    rows = read(spark, spec, locate(spec, str(file))).collect()
    assert [row["number32"] for row in rows] == [32, 32]
    # A thread passes on what Java prints.
    time.sleep(0.5)
    assert capfd.readouterr().err == ""
