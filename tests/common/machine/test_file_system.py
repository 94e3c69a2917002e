"""Outputs appear whole or not at all, on the file systems that Spark writes."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from common.errors import UserError
from common.machine import file_system
from common.machine.file_system import data_files, exists, fingerprint, replacing


@pytest.fixture
def folders(tmp_path):
    """Two existing outputs, each with its name in a file; yields their URIs."""
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


def test_fingerprint_follows_what_is_in_the_files(spark, folders, tmp_path):
    content = tmp_path / "one" / "content"
    os.utime(content, (1e9, 1e9))
    before = fingerprint(spark, folders[0])
    assert fingerprint(spark, folders[0]) == before
    (tmp_path / "one" / "_SUCCESS").write_text("hidden")
    assert fingerprint(spark, folders[0]) == before
    assert fingerprint(spark, f"{folders[0]}/content") != fingerprint(spark, f"{folders[1]}/content")
    os.utime(content, (2e9, 2e9))  # this file system's only sign of a change of the same length
    after = fingerprint(spark, folders[0])
    assert after != before
    (tmp_path / "one" / "more").write_text("1")
    assert fingerprint(spark, folders[0]) != after


class _Status:
    """A file of an object store, or of HDFS."""

    def __init__(self, content, changed):
        self.content, self.changed = content, changed

    def getEtag(self):
        return f"tag of {self.content}"

    def getPath(self):
        return self

    def getModificationTime(self):
        return self.changed

    def getFileChecksum(self, path):
        return SimpleNamespace(toString=lambda: f"sum of {path.content}")


@pytest.mark.parametrize("has_tags", [True, False])
def test_file_that_was_only_touched_is_the_same_where_the_system_knows_its_content(
    spark, monkeypatch, has_tags
):
    monkeypatch.setattr(file_system, "is_instance_of", lambda *_: has_tags)

    def mark(content, changed):
        file = _Status(content, changed)
        return file_system._content_mark(spark, file, file)

    assert mark("a", 1) == mark("a", 2)
    assert mark("a", 1) != mark("b", 1)


@pytest.mark.parametrize(
    ("name", "message"), [("nothing", "does not exist"), ("empty", "contains no non-empty file")]
)
def test_fingerprint_of_nothing_is_refused(spark, tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=message):
        fingerprint(spark, f"file://{tmp_path}/{name}")
