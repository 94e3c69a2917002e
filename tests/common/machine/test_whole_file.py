import os
import stat

import pytest

from common.machine.whole_file import whole_file


def test_two_who_write_at_once_each_leave_a_whole_file(tmp_path):
    path = tmp_path / "reports" / "report.html"
    with whole_file(path) as one:
        one.write_text("one")
        with whole_file(path) as other:
            other.write_text("other")
            assert one.read_text() == "one"
            assert not path.exists()
        assert path.read_text() == "other"
    assert path.read_text() == "one"
    assert os.listdir(path.parent) == ["report.html"]


def test_what_fails_or_writes_nothing_leaves_what_was_there(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("before")

    def fail():
        with whole_file(path) as part:
            part.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    with whole_file(path):
        pass
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["report.html"]


def test_file_has_the_rights_that_any_new_file_has(tmp_path):
    path, plain = tmp_path / "report.html", tmp_path / "plain"
    plain.touch()
    with whole_file(path) as part:
        part.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
