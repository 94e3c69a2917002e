from pathlib import Path

import pytest

from common.data.infer import find_spec, write_spec
from common.data.infer.find import find_given, given_with, name_of
from common.data.reading import unique_names
from common.data.spec_yaml import Given, load_given, load_spec
from common.errors import UserError

TEXT = "n,city,y\n" + "".join(f"{i % 7},{'ab'[i % 2]},{'no' if i % 3 else 'yes'}\n" for i in range(30))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my churn.v2.csv"
    path.write_text(TEXT)
    return str(path)


def test_label_and_file_are_enough(spark, file, tmp_path):
    found = find_spec(lambda: spark, "auto", file, label="y")
    assert (found.spec.name, found.spec.labels) == ("my churn", ("no", "yes"))
    assert found.location.kind == "path"
    assert found.told[0].startswith("label 'y' (text, 2 values): binary")
    path = tmp_path / "mine.yaml"
    write_spec(found.spec, path)
    # Written and given back it is complete, so the file is not looked at again.
    again = find_spec(lambda: pytest.fail("no session is needed"), str(path), file)
    assert (again.spec, again.told) == (found.spec, ())


def test_what_a_file_leaves_out_is_inferred(spark, file, tmp_path):
    path = tmp_path / "part.yaml"
    path.write_text("name: churn\nlabel: y\ncolumns: [{name: n, role: category}]\n")
    spec = find_spec(spark, str(path), file, positive="no").spec
    assert (spec.name, spec.columns[0].role, spec.positive) == ("churn", "category", "no")


def test_written_spec_is_not_overwritten_unawares(spec, tmp_path):
    path = tmp_path / "mine.yaml"
    write_spec(spec, path)
    with pytest.raises(UserError, match=r"mine.yaml' exists: .* overwrite=true"):
        write_spec(spec, path)
    write_spec(spec, path, overwrite=True)
    assert load_spec(str(path)) == spec
    with pytest.raises(UserError, match=r"must end in .yaml"):
        write_spec(spec, Path("mine.csv"))


def test_label_needs_a_file():
    with pytest.raises(UserError, match="source 'auto' is no file: give source=FILE with label=y"):
        find_given("auto", "auto", "y")


def test_file_that_nothing_is_said_of_is_read_as_the_built_in_data_set():
    assert find_given("auto", "x.csv", "auto") == load_given("adult")


def test_nothing_given_is_the_built_in_data_set():
    assert find_given("auto", "sample", "auto") == load_given("adult")


def test_error_names_the_source_once(spark, file):
    with pytest.raises(UserError, match=r"^label 'z' is no column of file:.*churn.v2.csv; the columns"):
        find_spec(spark, "auto", file, label="z")


def test_what_depended_on_a_changed_value_is_inferred_again():
    columns = {"x": {"type": "double", "role": "numeric"}, "y": {"type": "string", "role": "label"}}
    full = Given("t", "y", columns, labels=("a", "b"), positive="b", strata=("y",), task="binary")
    assert full.is_complete
    assert given_with(full, {"label": "y", "positive": "b"}) is full
    other = given_with(full, {"label": "x"})
    assert (other.labels, other.positive, other.task, other.strata) == (None, None, None, None)
    assert other.columns == {"x": {}, "y": {"type": "string"}}
    turned = given_with(full, {"positive": "a"})
    assert (turned.labels, turned.positive, turned.task) == (None, "a", "binary")
    assert columns["y"] == {"type": "string", "role": "label"}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/a/churn.csv", "churn"),
        ("churn.csv.gz", "churn"),
        ("s3a://bucket/my%20data/", "my data"),
        ("https://host/t.csv?x=1", "t"),
        ("/a/.csv", "table"),
    ],
)
def test_data_set_is_named_by_its_file(source, name):
    assert name_of(source) == name


@pytest.mark.parametrize(
    ("names", "unique"),
    [
        (["a", "b"], ["a", "b"]),
        (["", "b", ""], ["_c0", "b", "_c2"]),
        (["a", "A", "a"], ["a", "A_2", "a_3"]),
        (["a", "a", "a_2"], ["a", "a_3", "a_2"]),
        (["_c1", ""], ["_c1", "_c1_"]),
    ],
)
def test_every_column_has_a_name_of_its_own(names, unique):
    assert unique_names(names) == unique
