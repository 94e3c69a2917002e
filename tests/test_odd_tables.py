"""Odd tables are what they say they are, and a plain pipeline learns from each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.odd_tables import BAD_INPUTS, MULTICLASS, ODD_TABLES, REGRESSION, Csv
from tests.plain_pipeline import (
    DECISIVE,
    encoded,
    guessed,
    kind_of,
    label_text,
    predict_plainly,
    resampled,
    scores,
)

every_table = pytest.mark.parametrize("table", ODD_TABLES.values(), ids=lambda table: table.name)
SCIKIT_LEARN = {"breast_cancer", "wine", "digits", "diabetes", "iris"}
# Tables that need more rows than the others for what they show.
LARGE = {"rare_values", "few_contents"}


def content(path):
    """The bytes of a file, or of all files of a folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


def halves(table, tmp_path):
    """Training and test rows as a user of pandas reads them, without rows that have no label."""
    rows = table.read(table.write(tmp_path)).dropna(subset=[table.label])
    is_test = np.random.default_rng(0).permutation(len(rows)) % 10 < 3
    return rows[~is_test], rows[is_test]


@every_table
def test_table_is_written_as_it_says(table, tmp_path):
    path = table.write(tmp_path)
    read = table.read(path)
    assert read.shape == table.cells.shape
    assert table.without_label == read[table.label].isna().sum()
    named = [name or "Unnamed: 0" for name in table.cells.columns]
    assert list(read.columns) == named
    if table.name not in SCIKIT_LEARN | LARGE:
        assert 300 <= len(read) <= 1500
    if table.task != REGRESSION:
        assert 2 <= read[table.label].nunique() <= 10
        assert (read[table.label].nunique() > 2) == (table.task == MULTICLASS)


@every_table
def test_table_is_the_same_each_time(table, tmp_path):
    folders = tmp_path / "first", tmp_path / "second"
    for folder in folders:
        folder.mkdir()
    # A copy has not made its cells yet.
    first, second = (content(replace(table).write(folder)) for folder in folders)
    assert first == second


@every_table
def test_some_rows_are_written_as_one_file_in_the_given_order(table, tmp_path):
    whole = table.read(table.write(tmp_path))
    path = table.write_some(tmp_path, np.arange(len(whole))[::-1])
    assert path.is_file()
    pd.testing.assert_frame_equal(table.read(path), whole[::-1].reset_index(drop=True))


@pytest.mark.parametrize("bad", BAD_INPUTS.values(), ids=lambda bad: bad.name)
def test_bad_input_is_written_and_says_what_its_refusal_names(bad, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    path = bad.write(first)
    assert content(path) == content(bad.write(second))
    if isinstance(bad.form, Csv):
        assert path.read_text().startswith(",".join(bad.make(np.random.default_rng(0)).columns))
    assert bad.named
    asked = bad.asked(tmp_path)
    assert asked["label"] == bad.label
    assert "{" not in asked["source"]


def test_oddities_are_in_the_bytes(tmp_path):
    raw = {}
    for table in ODD_TABLES.values():
        path = table.write(tmp_path)
        raw[table.name] = b"" if path.is_dir() else path.read_bytes()
    assert raw["bom_and_crlf"].startswith(b"\xef\xbb\xbfmonths,")
    assert raw["bom_and_crlf"].count(b"\r\n") == 701
    assert "Gebühr in €".encode("cp1252") in raw["german"]
    assert raw["index_column"].startswith(b",months,charges,plan,churned\n0,")
    assert b'"a ""b"" c"' in raw["quoted_fields"]
    assert b'"first\nsecond"' in raw["quoted_fields"]
    assert raw["pipe_separated"].startswith(b'"months"|"charges"|')
    assert b",True\n" in raw["labels_true_false"]
    assert b'"not ""good"""' in raw["labels_with_quotes"]
    assert raw["imbalanced"].count(b",yes\n") == 45
    for marker in (b",NA,", b",?,", b",N/A,", b",null,", b",NaN,"):
        assert marker in raw["missing_numbers"]
    assert b"%," in raw["percent_and_currency"]
    assert b'"$1,' in raw["percent_and_currency"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, None], "number"),
        (["1", "-2e3", None], "number"),
        (["12.5%", "3%"], "number"),
        (["$1,200.50", "$3.00"], "number"),
        ([None, None], "number"),
        ([True, None, False], "text"),
        (["2024-01-31", None], "date"),
        (["2024-01-31T10:00:00+02:00"], "date"),
        ([pd.Timestamp(0), pd.NaT], "date"),
        ([pd.Timestamp(0).date(), None], "date"),
        (["2024-01-31", "soon"], "text"),
        (["a", "1"], "text"),
    ],
)
def test_kind_of_a_column_is_that_of_all_its_values(values, kind):
    assert kind_of(pd.Series(values)) == kind


def test_label_text_is_the_same_however_the_label_was_read():
    assert [label_text(one) for one in (True, "True", np.True_, "true ")] == ["true"] * 4
    assert [label_text(one) for one in (1, 1.0, "1", np.int64(1))] == ["1"] * 4
    assert label_text("so, so") == "so, so"
    with pytest.raises(ValueError, match="perhaps"):
        encoded(pd.Series(["no", "perhaps"]), "binary", ["no", "yes"])


# One of each task and of the hardest to learn; all of them took four minutes.
@pytest.mark.slow
@pytest.mark.parametrize(
    "table",
    [ODD_TABLES[name] for name in ("missing_text", "imbalanced", "ten_classes", "french", "iris")],
    ids=lambda table: table.name,
)
def test_plain_pipeline_beats_guessing_clearly(table, tmp_path):
    train, test = halves(table, tmp_path)
    task, label = table.task, table.label
    labels = () if task == REGRESSION else sorted({label_text(one) for one in train[label]})
    predicted = predict_plainly(train, test, label, task, labels)
    truth = encoded(test[label], task, labels)
    guess = guessed(task, encoded(train[label], task, labels), len(test), len(labels))
    name, sign = DECISIVE[task]
    lead = sign * (scores(task, truth, predicted)[name] - scores(task, truth, guess)[name])
    drawn = resampled(task, truth, [predicted, guess], repeats=100)
    assert lead > 4 * np.std(drawn[:, 0] - drawn[:, 1])
