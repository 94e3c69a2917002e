"""The progress of a search in a pipe."""

import pytest

from common.search.result import CandidateFailure
from steps import progress
from steps.progress import Progress
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
    with Progress("train_grid", 30, "f1", 0.4) as shown:
        for depth in range(30):
            clock[0] += 1
            shown.show(result({"maxDepth": depth}, depth / 100))
        shown.end()
    assert capsys.readouterr().out.splitlines() == [
        "train_grid 10/30: f1 best 0.0900 (guessing 0.4000); 20 s left",
        "train_grid 20/30: f1 best 0.1900 (guessing 0.4000); 10 s left",
        "train_grid ended after 30 candidates, 30 s: f1 best 0.2900 (guessing 0.4000)",
    ]


def test_search_is_not_said_to_have_taken_no_time(clock, capsys):
    with Progress("train_grid", 1, "f1", 0.4) as shown:
        clock[0] += 0.3
        shown.show(result({"maxDepth": 2}, 0.5))
        shown.end()
    assert "ended after 1 candidate, less than 1 s: " in capsys.readouterr().out


def test_search_that_ends_before_its_most_candidates_says_so_with_its_best(clock, capsys):
    with Progress("train_ga", 30, "f1", 0.4) as shown:
        clock[0] += 1
        shown.show(result({"maxDepth": 2}, 0.5))
        shown.end()
        clock[0] += 60
    assert capsys.readouterr().out == (
        "train_ga ended after 1 candidate, 1 s: f1 best 0.5000 (guessing 0.4000)\n"
    )


@pytest.mark.parametrize(("minutes", "left"), [(0, 90), (0.5, 20), (10, 90), (0.1, 0)])
def test_no_more_time_is_left_than_the_limit(clock, capsys, minutes, left):
    with Progress("train_grid", 10, "f1", 0.4, minutes) as shown:
        clock[0] += 10
        shown.show(result({"maxDepth": 2}, 0.5))
    assert capsys.readouterr().out.endswith(f"; {left} s left\n")


def test_candidates_that_are_reused_do_not_shorten_the_time_left(clock, capsys):
    results = [result({"maxDepth": depth}, 0.5) for depth in range(4)]
    with Progress("train_grid", 10, "f1", 0.4, known={one.name for one in results[:3]}) as shown:
        for one in results[:2]:
            shown.show(one)
        clock[0] += 10
        shown.show(results[2])
        clock[0] += 10
        shown.show(results[3])
    assert capsys.readouterr().out.splitlines() == [
        "train_grid 3/10: f1 best 0.5000 (guessing 0.4000)",
        "train_grid 4/10: f1 best 0.5000 (guessing 0.4000); 120 s left",
    ]


@pytest.mark.parametrize(
    ("total", "minutes", "left", "lines"),
    [
        (60, 0, "590 s", 1),
        (61, 0, "10 min", 1),
        (181, 0, "30 min", 2),
        (2881, 0, "8.0 h", 2),
        (2881, 50, "50 min", 1),
    ],
)
def test_search_that_takes_long_says_how_to_end_it_sooner(clock, capsys, total, minutes, left, lines):
    with Progress("train_ga", total, "f1", 0.4, minutes) as shown:
        clock[0] += 10
        shown.show(result({"maxDepth": 2}, 0.5))
        said = capsys.readouterr().out.splitlines()
        assert said[-1].endswith(f"; {left} left")
        assert len(said) == lines
        assert all(line.startswith(f"train_ga takes about {left}: minutes=30") for line in said[:-1])
        clock[0] += 10
        shown.show(result({"maxDepth": 3}, 0.5))
        assert len(capsys.readouterr().out.splitlines()) == 1


def test_failures_are_counted(clock, capsys):
    with Progress("train_grid", 3, "f1", 0.4) as shown:
        clock[0] += 10
        shown.show(failure(1))
        shown.show(result({"maxDepth": 2}, 0.5))
        shown.show(failure(3))
        shown.end()
    assert capsys.readouterr().out.splitlines() == [
        "train_grid 1/3: f1, none yet (guessing 0.4000), 1 failed; 20 s left",
        "train_grid ended after 3 candidates, 10 s: f1 best 0.5000 (guessing 0.4000), 2 failed",
    ]


def test_search_that_has_ended_without_a_score_awaits_none(clock, capsys):
    with Progress("train_grid", 1, "f1", 0.4) as shown:
        shown.show(failure(1))
        shown.end()
    (said,) = capsys.readouterr().out.splitlines()
    assert said.endswith(": f1, none (guessing 0.4000), 1 failed")


def test_bar_takes_the_place_of_lines_in_a_terminal(clock, monkeypatch, capsys):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("train_grid", 100, "f1", 0.4, minutes=0.5) as shown:
        for depth in (1, 2):
            clock[0] += 10
            shown.show(result({"maxDepth": depth}, 0.5))
        shown.bar.refresh()
        while_it_runs = capsys.readouterr()
        shown.end()
    ended = capsys.readouterr()
    assert while_it_runs.out + ended.out == ""
    assert "2/100" in while_it_runs.err
    assert "f1 best 0.5000 (guessing 0.4000); 10 s left" in while_it_runs.err
    assert "?" not in while_it_runs.err
    assert ended.err.rstrip().endswith("f1 best 0.5000 (guessing 0.4000)]")
