"""The digest of what is behind a URI, from a separate process."""

import os
import subprocess
from types import SimpleNamespace

import pytest

from common.data.elsewhere import digest_of
from common.errors import UserError


@pytest.mark.slow
def test_content_behind_a_uri_is_told_from_outside_of_any_session(tmp_path):
    path = tmp_path / "with space" / "data.csv"
    path.parent.mkdir()
    path.write_text("1\n")
    os.utime(path, (1e9, 1e9))
    before = digest_of(f"file://{path}")
    path.write_text("2\n")
    assert digest_of(f"file://{path}") != before


@pytest.mark.slow
def test_uri_that_nothing_reads_is_one_line():
    with pytest.raises(UserError) as raised:
        digest_of("nosuch://bucket/data")
    assert str(raised.value).startswith(
        "source 'nosuch://bucket/data': nosuch://bucket/data cannot be reached"
    )
    assert "\n" not in str(raised.value)


def test_process_that_says_nothing_is_an_error_of_ours_with_its_trace(monkeypatch):
    done = SimpleNamespace(stdout="", stderr="Traceback: no Java")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(RuntimeError, match="no Java"):
        digest_of("s3a://bucket/data")
