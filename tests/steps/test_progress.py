"""The progress of a search in a pipe."""

import pytest

from common.search.result import CandidateFailure
from steps import progress
from steps.progress import show_progress
from tests.common.search.searches import result


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves forward."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def failure(depth):
    return CandidateFailure({"maxDepth": depth}, "no room")


def test_pipe_has_a_line_each_ten_seconds_and_at_the_end(clock, capsys):
    with show_progress("train_grid", 30, "f1", 0.4) as show:
        for depth in range(30):
            clock[0] += 1
            show(result({"maxDepth": depth}, depth / 100))
    assert capsys.readouterr().out.splitlines() == [
        "train_grid 10/30: f1 best 0.0900 (guessing 0.4000); 20 s left",
        "train_grid 20/30: f1 best 0.1900 (guessing 0.4000); 10 s left",
        "train_grid 30/30: f1 best 0.2900 (guessing 0.4000); 0 s left",
    ]


def test_failures_are_counted(clock, capsys):
    with show_progress("train_grid", 3, "f1", 0.4) as show:
        clock[0] += 10
        show(failure(1))
        show(result({"maxDepth": 2}, 0.5))
        show(failure(3))
    assert capsys.readouterr().out.splitlines() == [
        "train_grid 1/3: f1, none yet (guessing 0.4000), 1 failed; 20 s left",
        "train_grid 3/3: f1 best 0.5000 (guessing 0.4000), 2 failed; 0 s left",
    ]


def test_bar_takes_the_place_of_lines_in_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with show_progress("train_grid", 2, "f1", 0.4) as show:
        for depth in (1, 2):
            show(result({"maxDepth": depth}, 0.5))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "2/2" in shown.err
    assert "f1 best 0.5000 (guessing 0.4000)" in shown.err
