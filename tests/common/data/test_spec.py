from dataclasses import fields

import pytest
import yaml

from common.data.spec import Column
from common.data.spec_yaml import Given, load_given, load_spec, parse_spec, to_yaml
from common.errors import UserError

# Texts, numbers, lists and mappings, as YAML has them.
KINDS = ["null", "''", "[]", "[[]]", "[{a: 1}]", "{}", "{a: [b]}", "true", "9", "x"]
TEXT = """
name: tiny
label: y
labels: ["no", "yes"]
positive: "yes"
strata: [y]
columns:
  - {name: x, type: double, role: numeric}
  - {name: y, type: string, role: label}
"""


def test_adult_has_the_columns_of_its_file_in_order(spec):
    assert spec.names[:3] == ["age", "workclass", "fnlwgt"]
    assert len(spec.names) == 15
    assert spec.names[-1] == spec.label == "income"


def test_spec_survives_being_written_and_read(spec):
    assert parse_spec(to_yaml(spec), "copy") == spec


def test_spec_is_read_from_a_file_of_ones_own(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TEXT)
    assert load_spec(str(path)).names == ["x", "y"]


def test_unknown_data_set_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="dataset 'nope' is unknown: give one of adult"):
        load_spec("nope")


def test_labels_may_be_written_as_numbers():
    text = TEXT.replace('["no", "yes"]', "[0, 1]").replace('positive: "yes"', "positive: 1")
    spec = parse_spec(text, "tiny")
    assert (spec.labels, spec.positive) == (("0", "1"), "1")
    assert parse_spec(TEXT + "missing: -999", "tiny").missing == ("-999",)


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("[No, Yes]", ("No", "Yes")),
        ("[off, on]", ("off", "on")),
        ("[n, y]", ("n", "y")),
        ("[null, ~]", ("null", "~")),
        ("[010, 0x1F]", ("010", "0x1F")),
        ("[1_000, 1e3]", ("1_000", "1e3")),
        ("[1:30, 2024-01-01]", ("1:30", "2024-01-01")),
        ("[.nan, .inf]", (".nan", ".inf")),
        # As booleans are read in a file, however they are spelt.
        ("[False, TRUE]", ("false", "true")),
    ],
)
def test_label_is_the_text_that_is_written(written, labels):
    positive = written.strip("[]").split(", ")[1]
    text = TEXT.replace('["no", "yes"]', written).replace('positive: "yes"', f"positive: {positive}")
    spec = parse_spec(text, "tiny")
    assert spec.labels == labels
    assert parse_spec(to_yaml(spec), "copy") == spec


def test_column_with_a_currency_is_one_of_amounts():
    assert parse_spec(TEXT.replace("type: double,", "unit: EUR,"), "tiny").columns[0].type == "currency"


@pytest.mark.parametrize("unit", ["$", "€", "EUR"])
def test_currency_of_amounts_is_kept(unit):
    spec = parse_spec(TEXT.replace("type: double,", f"type: currency, unit: {unit},"), "tiny")
    assert spec.input_form.units == {"x": unit}
    assert parse_spec(to_yaml(spec), "copy") == spec


@pytest.mark.parametrize(
    "encoding", ["utf-8", "UTF8", "latin-1", "cp1252", "koi8-r", "ascii", "mac-roman"]
)
def test_encoding_of_a_byte_a_character_is_taken(encoding):
    assert parse_spec(TEXT + f"encoding: {encoding}", "tiny").encoding == encoding


@pytest.mark.parametrize(
    "encoding", ["utf-16", "shift-jis", "gb18030", "utf-7", "cp037", "rot13", "base64", "x"]
)
def test_encoding_whose_lines_cannot_be_told_by_bytes_is_refused(encoding):
    with pytest.raises(
        UserError, match=f"dataset 'tiny': encoding must be utf-8 or a single-byte .*, got '{encoding}'"
    ):
        parse_spec(TEXT + f"encoding: {encoding}", "tiny")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("strata:", "stratums:", "unknown key 'stratums'"),
        ("strata: [y]", "", "'tiny' does not say all: labels, strata, and each column's type and role"),
        ("strata: [y]", "strata: [z]", "strata of dataset 'tiny' name 'z'"),
        ("strata: [y]", "strata: y", "strata of dataset 'tiny' must be a list"),
        (
            "type: double",
            "type: float",
            "must be one of integer, double, percent, currency, boolean, date, timestamp, string",
        ),
        (
            "type: double,",
            "type: currency, unit: euro,",
            "unit of column 'x' .* or a code .*, got 'euro'",
        ),
        ("type: double,", "type: double, unit: EUR,", "unit of column 'x' .*: only amounts have one"),
        ("role: numeric", "role: number", "must be one of numeric, category, label, weight, ignored"),
        ("role: numeric", "role: ignored", "'tiny' has no column to predict from: give one the role"),
        ("role: numeric", "role: weight", "'tiny' has no column to predict from: give one the role"),
        ("type: double,", "type: string,", "is numeric, so its type must be"),
        ("type: string, role: label", "type: integer, role: label", "is the label, so its type must be"),
        ("name: x,", "name: prediction,", "column name 'prediction' in dataset 'tiny' is reserved"),
        ("name: x,", "name: __Features,", "column name '__Features' in dataset 'tiny' is reserved"),
        ("name: x,", "name: Y,", "names the column 'y' twice"),
        (
            "name: tiny",
            "name: tiny\nmissing: ",
            "missing of dataset 'tiny' must be non-empty text, got ''",
        ),
        ("label: y", "label: x", "'tiny' does not say all"),
        ('positive: "yes"', "positive: maybe", "needs two labels, the positive one last"),
        ("columns:", "columns: [1, 2]\nfoo:", "unknown key 'foo'"),
        ("strata:", 'leave_out: ["yes"]\nstrata:', "has 'yes' under labels and under leave_out"),
        (
            "name: x,",
            "name: [x],",
            "name of column 1 of dataset 'tiny' must be non-empty text, got ['x']",
        ),
        ("name: tiny", 'name: tiny\nseparator: ";;"', "must be one character"),
        ("name: tiny", "name: tiny\nseparator: '\"'", "must be one character, not a quote or line break"),
        ("name: tiny", "name: [", "is not YAML: line 4: expected"),
        ("name: tiny", "name: tiny\n? [a]\n: b", "is not YAML: line 3: found unhashable key"),
        ("name: tiny", f"name: {'[' * 2000}", "nested too deeply"),
        (
            "type: double,",
            "type: [double],",
            "type of column 'x' of dataset 'tiny' must be non-empty text",
        ),
    ],
)
def test_malformed_spec_is_refused_by_name(old, new, message):
    with pytest.raises(UserError, match="(?s)" + message.replace("[", r"\[")):
        parse_spec(TEXT.replace(old, new, 1), "tiny")


@pytest.mark.parametrize(
    "share", ["NA", "[NA]", "[]", "{}", "null", "-0.1", "1.5", "nan", "5%", "''", ""]
)
def test_share_of_missing_values_that_is_none_is_refused(share):
    text = TEXT.replace("type: double,", f"type: double, missing: {share},")
    message = (
        r"missing of column 'x' of dataset 'tiny' must be a share from 0 to 1, got .*missing: \[..\]"
    )
    with pytest.raises(UserError, match=message):
        parse_spec(text, "tiny")


def refusal(content):
    """What is said against a spec; empty if it is taken."""
    try:
        parse_spec(yaml.safe_dump(content), "tiny")
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("value", KINDS)
@pytest.mark.parametrize("key", [one.name for one in fields(Given)])
def test_value_of_any_kind_is_taken_or_refused_in_one_line(key, value):
    said = refusal(yaml.load(TEXT, Loader=yaml.BaseLoader) | {key: yaml.safe_load(value)})
    assert "\n" not in said
    assert not said or key.removesuffix("s") in said or "label" in said


@pytest.mark.parametrize("value", KINDS)
@pytest.mark.parametrize("key", [one.name for one in fields(Column)])
def test_value_of_any_kind_said_of_a_column_is_taken_or_refused_in_one_line(key, value):
    content = yaml.load(TEXT, Loader=yaml.BaseLoader)
    content["columns"][0][key] = yaml.safe_load(value)
    said = refusal(content)
    assert "\n" not in said
    assert not said or f"{key} of column" in said


def given_by(tmp_path, text):
    path = tmp_path / "tiny.yaml"
    path.write_text(text)
    return load_given(str(path))


@pytest.mark.parametrize("label", ["y", "left"])
@pytest.mark.parametrize("strata", ["y", "left"])
@pytest.mark.parametrize("listed", ["y", "left"])
def test_column_of_a_complete_spec_is_listed_by_either_name(tmp_path, label, strata, listed):
    text = TEXT.replace("label: y", f"label: {label}").replace("[y]", f"[{strata}]")
    text = text.replace("name: y,", f"name: {listed},") + "rename: {x: amount, y: left}\n"
    given = given_by(tmp_path, text)
    spec = given.spec()
    assert given.is_complete
    assert (spec.names, spec.label, spec.strata) == (["amount", "left"], "left", ("left",))
    assert parse_spec(to_yaml(spec), "copy") == spec


def test_two_columns_of_a_complete_spec_exchange_their_names(tmp_path):
    assert given_by(tmp_path, TEXT + "rename: {x: y, y: x}\n").spec().names == ["x", "y"]


def test_columns_of_the_file_whose_names_move_on_are_known(tmp_path):
    text = TEXT.replace("label: y", "label: z") + "rename: {x: y, y: z}\n"
    spec = given_by(tmp_path, text).spec()
    assert (spec.names, spec.label) == (["y", "z"], "z")


@pytest.mark.parametrize(
    ("rename", "message"),
    [
        ("{x: y}", "rename of dataset '.*' gives column 'x' the name 'y', which another column has"),
        ("{x: Y}", "rename of dataset '.*' gives column 'x' the name 'Y', which another column has"),
        (
            "{x: a, y: a}",
            "rename of dataset '.*' gives column 'x' the name 'a', which another column has",
        ),
        ("{z: a}", "rename of dataset '.*' names 'z', which is no column; the columns are x, y"),
    ],
)
def test_rename_that_a_complete_spec_contradicts_is_refused(tmp_path, rename, message):
    with pytest.raises(UserError, match=message):
        given_by(tmp_path, TEXT + f"rename: {rename}\n")
