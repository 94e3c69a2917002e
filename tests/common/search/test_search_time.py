import pytest

from common.learning.metrics import METRICS
from common.search import search as module
from common.search.result import CandidateFailure, CandidateResult, candidate_name
from common.search.search import Search, TimeUp


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


class Engine:
    """Takes a minute a candidate."""

    name = "slow"

    def __init__(self, clock, failing=()):
        self.clock, self.failing = clock, failing
        self.fitted, self.ended = [], False

    def evaluate(self, candidates):
        try:
            for candidate in candidates:
                self.clock.now += 60
                self.fitted.append(candidate["maxDepth"])
                if candidate["maxDepth"] in self.failing:
                    yield CandidateFailure(candidate, "x")
                else:
                    yield CandidateResult(candidate, (dict.fromkeys(METRICS, 0.5),), 60.0)
        finally:
            self.ended = True


class Depths:
    names, most, generations = ("maxDepth",), 10, {}

    def batches(self, search):
        for start in (0, 5):
            search.evaluate([{"maxDepth": depth} for depth in range(start, start + 5)])
            yield

    def table(self):
        return None


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def names(depths):
    return [candidate_name({"maxDepth": depth}) for depth in depths]


def test_search_ends_with_the_candidate_at_which_its_time_is_over(clock):
    engine = Engine(clock)
    search = Search(engine, minutes=7)
    clock.now += 1000
    search.run(Depths())
    assert list(search.outcomes) == names(range(7))
    assert search.is_over
    assert engine.ended


def test_search_without_a_limit_scores_all(clock):
    search = Search(Engine(clock))
    search.run(Depths())
    assert list(search.outcomes) == names(range(10))
    assert not search.is_over
    assert search.spent() == 0


@pytest.mark.parametrize("minutes", [0, 7])
def test_end_is_told_once_when_no_more_is_scored(clock, minutes):
    told = []
    search = Search(Engine(clock), minutes=minutes, end=lambda: told.append(len(search.outcomes)))
    search.run(Depths())
    assert told == [minutes or 10]


def test_search_goes_on_until_a_candidate_has_scores(clock):
    search = Search(Engine(clock, failing=(0, 1)), minutes=1)
    search.run(Depths())
    assert list(search.outcomes) == names(range(3))


def test_what_is_spent_is_a_share_of_the_time(clock):
    search = Search(Engine(clock), minutes=10)
    search.evaluate([{"maxDepth": 1}, {"maxDepth": 2}])
    assert search.spent() == pytest.approx(0.2)
    with pytest.raises(TimeUp):
        search.evaluate([{"maxDepth": depth} for depth in range(3, 20)])


def test_candidate_is_scored_once(clock):
    engine, shown = Engine(clock), []
    search = Search(engine, show=shown.append)
    first = search.evaluate([{"maxDepth": 1}])
    both = search.evaluate([{"maxDepth": 2}, {"maxDepth": 1}])
    assert engine.fitted == [1, 2]
    assert both["maxDepth=1"] is first["maxDepth=1"]
    assert len(shown) == 2
