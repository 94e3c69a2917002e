"""Columns of any name, renamed ones and repeated ones: found alike by all three ways."""

import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.data.infer import infer
from common.data.reading import (
    DOUBLE,
    INTEGER,
    TEXT,
    Form,
    Unreadable,
    find_column,
    find_columns,
    find_keys,
    find_named,
    tells_apart,
)
from common.data.spec import LABEL_ROLE, NUMERIC, Column, DatasetSpec
from common.data.spec_yaml import Given
from tests.forms import FORMS
from tests.one_reading.conftest import JSON, PARQUET, Refused

NAMES = [
    "a.b",
    "a b",
    "größe",
    "`x`",
    "a``b",
    'say "hi"',
    "it's",
    "_c7",
    "__record",
    "_x",
    "a,b",
    "%",
    "#1",
]


def spec(names=("x",), rename=None):
    inputs = [Column(name, DOUBLE, NUMERIC) for name in names]
    label = Column("y", TEXT, LABEL_ROLE)
    return DatasetSpec("names", (*inputs, label), "y", ("no", "yes"), "yes", ("y",), rename=rename or {})


def csv_of(names, rows):
    text = io.StringIO()
    pd.DataFrame(rows, columns=names).to_csv(text, index=False)
    return text.getvalue().encode()


def test_columns_of_any_name_are_read(ways_of):
    ways = ways_of(spec(NAMES))
    row = [float(place) for place in range(len(NAMES))]
    frame = pd.DataFrame([[*row, "yes"]], columns=[*NAMES, "y"])
    text, stored = ways.folder / "any.csv", ways.folder / "any.parquet"
    text.write_bytes(csv_of(frame.columns, frame.to_numpy()))
    frame.to_parquet(stored)
    assert ways.served(text.read_bytes()) == ways.served(stored.read_bytes(), PARQUET) == [tuple(row)]
    record = frame.drop(columns="y").to_dict("records")
    assert ways.served(json.dumps({"dataframe_records": record}), JSON) == [tuple(row)]
    for path in (text, stored):
        assert ways.train(path) == ways.batch(path) == [tuple(row)]


@pytest.mark.parametrize("name", ["prediction", "PREDICTION", "prediction (input)"])
def test_renamed_column_is_found_by_its_name_in_the_file_and_by_its_own(ways_of, name):
    ways = ways_of(spec(["prediction (input)", "x"], {"prediction": "prediction (input)", "label": "y"}))
    columns = {name: [1.5], "x": [2.5], "label": ["yes"]}
    text, stored = ways.folder / "renamed.csv", ways.folder / "renamed.parquet"
    text.write_bytes(csv_of(list(columns), [[1.5, 2.5, "yes"]]))
    pq.write_table(pa.table(columns), stored)
    expected = [(1.5, 2.5)]
    assert ways.served(text.read_bytes()) == ways.served(stored.read_bytes(), PARQUET) == expected
    for path in (text, stored):
        assert ways.train(path) == ways.batch(path) == expected


def test_errors_name_a_renamed_column_as_the_file_does(ways_of):
    ways = ways_of(spec(["own", "x"], {"given": "own"}))
    path = ways.folder / "errors.csv"
    path.write_bytes(b"given,x,y\n1,2,yes\none,2,yes\n")
    for read in (
        lambda: ways.train(path),
        lambda: ways.batch(path),
        lambda: ways.served(path.read_bytes()),
    ):
        with pytest.raises(Refused, match="column 'given' is 'one', expected a finite number"):
            read()
    path.write_bytes(b"z,w,x,y\n1,1,2,yes\n")
    for read in (
        lambda: ways.train(path),
        lambda: ways.batch(path),
        lambda: ways.served(path.read_bytes()),
    ):
        with pytest.raises(Refused, match=r"column 'given' \(here 'own'\)"):
            read()
    with pytest.raises(Refused, match=r"column 'given' \(here 'own'\) is missing"):
        ways.served(json.dumps({"dataframe_records": [{"x": 1.0}]}), JSON)


def test_file_without_a_header_is_read_by_position_whatever_is_renamed(ways_of):
    ways = ways_of(spec(["own", "x"], {"given": "own"}))
    path = ways.folder / "positions.csv"
    path.write_bytes(b"1,2,yes\n3,4,no\n")
    expected = [(1.0, 2.0), (3.0, 4.0)]
    assert ways.train(path) == ways.batch(path) == ways.served(path.read_bytes()) == expected


def test_columns_beside_the_required_ones_may_have_any_name_or_none(ways_of):
    ways = ways_of(spec())
    path = ways.folder / "others.csv"
    path.write_bytes(b",,x,note,Note,y,__line,__read,_c0\n1,2,3,4,5,yes,6,7,8\n")
    assert ways.train(path) == ways.batch(path) == ways.served(path.read_bytes()) == [(3.0,)]
    path.write_bytes(b"x,note,X,y\n1,2,3,yes\n")
    for read in (
        lambda: ways.train(path),
        lambda: ways.batch(path),
        lambda: ways.served(path.read_bytes()),
    ):
        with pytest.raises(Refused, match="has the column 'x' twice"):
            read()


def test_column_without_a_name_is_named_by_its_position(ways_of):
    ways = ways_of(spec(["_c0", "x"]))
    text, stored = ways.folder / "unnamed.csv", ways.folder / "unnamed.parquet"
    text.write_bytes(b",x,y\n1,2,yes\n")
    pq.write_table(pa.table({"": [1.0], "x": [2.0], "y": ["yes"]}), stored)
    for path, kind in ((text, "text/csv"), (stored, PARQUET)):
        assert (
            ways.train(path) == ways.batch(path) == ways.served(path.read_bytes(), kind) == [(1.0, 2.0)]
        )


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (["a", "b"], {"a": 0}),
        (["A", "b"], {"a": 0}),
        (["given"], {"a": 0}),
        (["given", "a"], {"a": 1}),
        (["note", "NOTE", "a"], {"a": 2}),
        (["", "", "GIVEN"], {"a": 2}),
    ],
)
def test_own_name_comes_before_that_in_the_file(names, places):
    form = Form({"a": TEXT}, layout=("a", "y"), renamed={"a": "given"})
    assert find_columns(names, form).places == find_named(names, form) == places


LAYOUT = Form({"age": INTEGER, "income": DOUBLE}, layout=("id", "age", "income", "y"), label="y")
TEXTS = Form({"city": TEXT, "plan": TEXT}, layout=("id", "city", "plan", "y"), label="y")


@pytest.mark.parametrize(
    ("names", "form", "lacking"),
    [
        (["income", "alter", "id"], LAYOUT, "age"),
        (["income", "ID", "y"], LAYOUT, "age"),
        (["x", "id", "z"], LAYOUT, "age"),
        (["plan", "id", "town"], TEXTS, "city"),
    ],
)
def test_header_that_lacks_a_column_is_no_data(names, form, lacking):
    with pytest.raises(Unreadable, match=f"has no column '{lacking}'; it has {', '.join(names)}"):
        find_columns(names, form)


@pytest.mark.parametrize(
    ("first", "form"),
    [
        (["1", "39", "2.5"], LAYOUT),
        (["id", "39", "2.5"], LAYOUT),
        (["1", "Ulm", "plan"], TEXTS),
        (["20", "", "ab"], Form({"_c0": DOUBLE, "_c1": DOUBLE}, layout=("_c0", "_c1", "_c2"))),
        (["NA", "4.5"], Form({"Na": DOUBLE, "Mg": DOUBLE}, layout=("Na", "Mg"), missing=("NA",))),
        (list("00539718"), Form(dict.fromkeys("01234567", INTEGER), layout=tuple("01234567"))),
    ],
)
def test_record_with_a_text_like_a_name_is_data(first, form):
    assert not find_columns(first, form).there


def test_names_that_take_each_others_place_are_those_of_the_file():
    form = Form({"a": TEXT, "b": TEXT}, renamed={"a": "b", "b": "c"})
    assert find_named(["b", "c"], form) == {"a": 0, "b": 1}
    assert find_named(["a", "b"], form) == {"a": 0, "b": 1}
    assert find_keys(["c", "b"], form) == {"a": "b", "b": "c"}


def test_name_of_two_columns_is_that_of_the_one_that_the_files_call_so(ways_of):
    ways = ways_of(spec(["pay", "wage"], {"age": "pay", "pay": "wage"}))
    record = {"age": 1.0, "pay": 2.0}
    assert ways.served(json.dumps({"instances": [record]}), JSON) == [(1.0, 2.0)]
    assert ways.served(json.dumps({"instances": [{"pay": 1.0, "wage": 2.0}]}), JSON) == [(1.0, 2.0)]
    path = ways.folder / "one.csv"
    path.write_bytes(b"pay,x,y\n2,3,yes\n")
    said = r"column 'age' \(here 'pay'\)"
    for read in (
        lambda: ways.train(path),
        lambda: ways.batch(path),
        lambda: ways.served(path.read_bytes()),
        lambda: ways.served(json.dumps({"instances": [{"pay": 2.0}]}), JSON),
    ):
        with pytest.raises(Refused, match=said):
            read()


def test_names_that_change_places_are_read_alike_by_all(ways_of):
    ways = ways_of(spec(["a", "b", "c"], {"b": "a", "c": "b", "a": "c"}))
    text, stored = ways.folder / "turned.csv", ways.folder / "turned.parquet"
    # The file's b is a here, its c is b, and its a is c.
    text.write_bytes(b'b,c,a,y\n1,2,3,yes\n"1",2,3,yes\n')
    pq.write_table(pa.table({"b": [1.0] * 2, "c": [2.0] * 2, "a": [3.0] * 2, "y": ["yes"] * 2}), stored)
    expected = [(1.0, 2.0, 3.0)] * 2
    for path, kind in ((text, "text/csv"), (stored, PARQUET)):
        assert ways.train(path) == ways.batch(path) == ways.served(path.read_bytes(), kind) == expected
    records = [{"b": 1.0, "c": 2.0, "a": 3.0}] * 2
    for form, convert in FORMS.items():
        assert ways.served(json.dumps({form: convert(records)}), JSON) == expected, form


@pytest.mark.parametrize(
    ("rename", "names"),
    [
        ({"z": "a", "a": "y"}, ["a", "x"]),
        ({"z": "a", "a": "y"}, ["A ", "x"]),
    ],
)
def test_label_is_not_taken_for_a_column_of_its_name(rename, names):
    form = Form(
        {"a": DOUBLE, "x": DOUBLE}, label="y", renamed={own: given for given, own in rename.items()}
    )
    for find in (find_named, find_keys):
        with pytest.raises(Unreadable, match=r"column 'z' \(here 'a'\)"):
            find(names, form)
    assert find_column("y", names, form) == names[0]


def test_column_is_not_taken_for_the_label_of_its_name():
    form = Form({"a": DOUBLE, "x": DOUBLE}, label="y", renamed={"a": "y", "y": "w"})
    assert find_named(["y", "x"], form) == {"a": 0, "x": 1}
    assert find_column("y", ["y", "x"], form) is None
    assert find_column("y", ["y", "x", "W"], form) == "W"


def test_names_that_differ_in_blanks_alone_are_two_names_or_one_too_many():
    form = Form({"age": DOUBLE, "age ": DOUBLE})
    for find in (find_named, find_keys):
        assert list(find(["age ", "age"], form).values()) in ([1, 0], ["age", "age "])
        with pytest.raises(Unreadable, match="column 'age '"):
            find(["age"], form)
        with pytest.raises(Unreadable, match="twice|present 2 times"):
            find([" age", "age  "], Form({"age": DOUBLE}))
    given = Form({"age": DOUBLE}, renamed={"age": "AgeFile"})
    assert find_named([" age", "AgeFile"], given) == {"age": 1}
    assert find_keys([" age", "AgeFile"], given) == {"age": "AgeFile"}


def test_blanks_around_names_do_not_count(ways_of):
    ways = ways_of(spec([" a", "b ", "c"]))
    text, stored = ways.folder / "blanks.csv", ways.folder / "blanks.parquet"
    text.write_bytes(b" a,b ,c,y\n1,2,3,yes\n")
    pq.write_table(pa.table({"a": [1.0], "b ": [2.0], " c": [3.0], "y": ["yes"]}), stored)
    for path, kind in ((text, "text/csv"), (stored, PARQUET)):
        found = [ways.train(path), ways.batch(path), ways.served(path.read_bytes(), kind)]
        assert found == [[(1.0, 2.0, 3.0)]] * 3
    for record in ({" a": 1, "b ": 2, "c": 3}, {"a": 1, "b": 2, " c ": 3}):
        assert ways.served(json.dumps({"instances": [record]}), JSON) == [(1.0, 2.0, 3.0)]
    with pytest.raises(Refused, match="column ' a' is present 2 times"):
        ways.served(json.dumps({"instances": [{"a": 1, "a ": 1, "b": 2, "c": 3}]}), JSON)


@pytest.mark.parametrize("names", [["given", "Given"], ["a", "A", "given"]])
def test_required_column_that_is_repeated_is_refused(names):
    form = Form({"a": TEXT, "b": TEXT}, renamed={"a": "given"})
    with pytest.raises(Unreadable, match="twice"):
        find_named([*names, "b"], form)


REPEATED = b"b,n,b,b,y\n" + b"".join(
    b"%d,%d,%d.5,w%d,%s\n" % (i * 3, i * 7 % 40, i, i % 3, b"no yes".split()[i % 2]) for i in range(40)
)


def test_file_that_repeats_a_name_is_inferred_and_read_alike(spark, ways_of, tmp_path):
    path = tmp_path / "repeated.csv"
    path.write_bytes(REPEATED)
    inferred = infer(spark, f"file://{path}", Given("t", "y", drop=("n",)))
    assert inferred.names == ["b", "n", "b_2", "b_3", "y"]
    ways = ways_of(inferred)
    expected = [(i * 3, i + 0.5, f"w{i % 3}") for i in range(40)]
    names, *lines = REPEATED.decode().splitlines()
    data = [[int(b), int(n), float(b2), b3, y] for b, n, b2, b3, y in (line.split(",") for line in lines)]
    split = {"columns": names.split(","), "data": data}
    assert sorted(ways.train(path)) == sorted(ways.batch(path)) == expected
    assert ways.served(REPEATED) == ways.served(json.dumps({"dataframe_split": split}), JSON) == expected
    # In another order of the other columns, without the label.
    path.write_bytes(b"n,b,b,b\n9,3,1.5,w1\n")
    assert ways.batch(path) == ways.served(path.read_bytes()) == expected[1:2]


@pytest.mark.parametrize("names", ["b,b,y", "b,b,b,b,y", "b,b,B_3,b,y"])
def test_repeats_that_are_not_those_of_the_data_set_are_refused(ways_of, names):
    ways = ways_of(spec(["b", "b_2", "b_3"]))
    path = ways.folder / "repeats.csv"
    path.write_text(f"{names}\n{','.join('1' * (names.count(',')))},yes\n")
    for read in (
        lambda: ways.train(path),
        lambda: ways.batch(path),
        lambda: ways.served(path.read_bytes()),
    ):
        with pytest.raises(Refused, match="twice|has no column"):
            read()


@pytest.mark.parametrize(
    ("layout", "names", "known"),
    [
        (["b", "b_2"], ["b", "B"], True),
        (["b", "b_2"], ["a", "b", "b", "a"], True),
        (["b", "b_2"], ["b", "b", "b"], False),
        (["b", "b_3", "b_2"], ["b", "b", "b_2"], True),
        # Here the second b would be taken for the column that the data set's files call b_2.
        (["b", "b_3", "b_2"], ["b", "b"], False),
        ([], ["b", "b"], False),
    ],
)
def test_repeats_are_told_apart_if_all_that_are_known_are_there(layout, names, known):
    assert tells_apart("b", names, Form({}, layout=tuple(layout))) == known
