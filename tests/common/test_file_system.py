"""Outputs appear whole or not at all, on the file systems that Spark writes."""

from pathlib import Path

import pytest

from common import file_system
from common.errors import UserError
from common.file_system import data_files, exists, replacing


@pytest.fixture
def folders(tmp_path):
    """Two outputs that are there, each with its name in a file; give their URIs."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").write_text(name)
    return [f"file://{tmp_path}/{name}" for name in ("one", "two")]


def write(uri, text):
    """Write as Spark would: a folder with a file."""
    Path(uri.removeprefix("file://")).mkdir()
    (Path(uri.removeprefix("file://")) / "content").write_text(text)


def replace(spark, folders, error=None):
    with replacing(spark, folders) as parts:
        for part in parts:
            write(part, "new")
        if error:
            raise error


def state(tmp_path):
    return {path.name: (path / "content").read_text() for path in tmp_path.iterdir()}


def test_outputs_take_their_places_at_the_end(spark, folders, tmp_path):
    with replacing(spark, folders) as parts:
        for part in parts:
            write(part, "new")
        assert (tmp_path / "one" / "content").read_text() == "one"
    assert state(tmp_path) == {"one": "new", "two": "new"}


def test_output_that_was_not_written_leaves_nothing_in_its_place(spark, folders, tmp_path):
    with replacing(spark, folders) as parts:
        write(parts[0], "new")
    assert state(tmp_path) == {"one": "new"}


def test_failure_while_writing_leaves_all_as_it_was(spark, folders, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        replace(spark, folders, KeyboardInterrupt())
    assert state(tmp_path) == {"one": "one", "two": "two"}


def test_failure_while_renaming_leaves_all_as_it_was(spark, folders, tmp_path, monkeypatch):
    rename = file_system._rename

    def failing(spark, source, target):
        if target == folders[1] and source.endswith(".part"):
            raise OSError("disk full")
        rename(spark, source, target)

    monkeypatch.setattr(file_system, "_rename", failing)
    with pytest.raises(OSError, match="disk full"):
        replace(spark, folders)
    assert state(tmp_path) == {"one": "one", "two": "two"}


def test_hidden_and_empty_files_are_no_data(spark, tmp_path):
    for name, text in (("_SUCCESS", "x"), (".part.crc", "x"), ("empty.csv", ""), ("rows.csv", "x")):
        (tmp_path / name).write_text(text)
    assert data_files(spark, f"file://{tmp_path}") == [f"file:{tmp_path}/rows.csv"]


def test_file_system_that_is_not_known_is_one_line(spark):
    with pytest.raises(UserError, match="No FileSystem for scheme"):
        exists(spark, "nope://host/path")
