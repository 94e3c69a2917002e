from contextlib import nullcontext

import pytest

from common.data.target import TASK_NAMES
from common.errors import UserError
from common.learning.learners import LEARNERS, get_learner, race
from common.learning.metrics import METRICS
from common.search.breeding import Breeding
from common.search.genetic import COLUMNS
from common.search.genetic_race import genetic_race
from common.search.race import Entrant, Race, grid_race
from common.search.result import CandidateFailure, CandidateResult, candidate_name
from common.store.conf import load_grid, load_space

AUTO = get_learner("auto")
HARDER = (0.0, 0.01, -0.02, 0.005, 0.005)
GRIDS = {
    "xgboost": {"max_depth": [1, 2, 3]},
    "gbt": {"maxDepth": [1, 2, 3]},
    "logistic_regression": {"regParam": [0.1, 0.2, 0.3]},
}


class Scored:
    """A search whose candidates have known scores, by learner; time passes as they are scored."""

    def __init__(self, score, seconds=0.0):
        self.score, self.seconds = score, seconds
        self.candidates, self.opened = [], []

    def evaluate(self, candidates):
        self.candidates += candidates
        return {candidate_name(one): self.outcome(one) for one in candidates}

    def outcome(self, candidate):
        score = self.score(candidate)
        if score is None:
            return CandidateFailure(candidate, "no memory")
        folds = tuple(dict.fromkeys(METRICS, score + harder) for harder in HARDER)
        return CandidateResult(candidate, folds, 1.0)

    def generation(self, name):
        self.opened.append(name)
        return nullcontext({})

    def spent(self):
        return self.seconds * len(self.candidates)


def run(search, **given):
    told = []
    racing = grid_race(given or GRIDS, AUTO, "roc_auc", told.append)
    for _ in racing.batches(search):
        pass
    return racing, told


def learners(search):
    return [candidate["learner"] for candidate in search.candidates]


def test_each_learner_starts_with_its_first_candidate_and_then_the_best_goes_first():
    search = Scored(lambda one: 0.9)
    search.outcome = swinging
    _, told = run(search)
    assert learners(search)[:3] == ["xgboost", "gbt", "logistic_regression"]
    starts = [[v for k, v in one.items() if k != "learner"] for one in search.candidates[:3]]
    assert starts == [[1], [1], [0.1]]
    assert learners(search)[3:] == ["gbt"] * 3 + ["xgboost"] * 3 + ["logistic_regression"] * 3
    assert told == []


@pytest.mark.parametrize("given", [GRIDS, {"gbt": {"maxDepth": [3]}}])
def test_race_of_grids_has_at_most_the_candidates_of_the_grids(given):
    """Each learner's first candidate was counted twice: a race of one showed `1/2` to its end."""
    search = Scored(lambda one: 0.9)
    racing, _ = run(search, **given)
    assert racing.most == len({candidate_name(one) for one in search.candidates})


def swinging(candidate):
    """gbt is better on most folds and on the mean, but not clearly."""
    swing = 0.05 if candidate["learner"] == "gbt" else 0
    folds = tuple(dict.fromkeys(METRICS, 0.9 + swing * (-1) ** place) for place in range(5))
    return CandidateResult(candidate, folds, 1.0)


def test_learner_that_is_clearly_worse_is_left_behind():
    search = Scored(lambda one: 0.8 if one["learner"] == "gbt" else 0.9)
    _, told = run(search)
    assert learners(search).count("gbt") == 1
    assert learners(search).count("xgboost") == 4
    assert told == ["gbt is left behind: roc_auc 0.8000, and the best has 0.9000"]


def test_lowest_loss_leads():
    search = Scored(lambda one: 0.8 if one["learner"] == "gbt" else 0.9)
    racing = grid_race(GRIDS, AUTO, "log_loss")
    list(racing.batches(search))
    assert learners(search)[3:] == ["gbt"] * 3


def test_learner_that_cannot_be_fitted_does_not_stop_the_others():
    search = Scored(lambda one: None if one["learner"] == "xgboost" else 0.9)
    _, told = run(search)
    assert learners(search).count("xgboost") == 1
    assert learners(search).count("gbt") == 4
    assert told == ["xgboost is left behind: its first candidate could not be fitted"]


def test_race_in_which_no_candidate_can_be_fitted_ends():
    search = Scored(lambda one: None)
    run(search)
    assert len(search.candidates) == 3


def test_learner_for_whose_start_half_of_the_time_is_over_does_not_race():
    search = Scored(lambda one: 0.9, seconds=0.4)
    _, told = run(search)
    assert "logistic_regression" not in learners(search)
    assert told[0].startswith("no time for logistic_regression: ")


class Endless:
    """A proposer of ever more candidates."""

    names, most, generations = ("maxDepth",), 100, {}

    def batches(self, search):
        for depth in range(2, 30):
            search.evaluate([{"maxDepth": depth}])
            yield

    def table(self):
        return None


def test_learners_share_the_largest_number_of_candidates():
    search = Scored(lambda one: 0.9)
    entrants = [
        Entrant("gbt", {"maxDepth": 1}, Endless()),
        Entrant("xgboost", {"maxDepth": 1}, Endless()),
    ]
    racing = Race(entrants, "roc_auc", most=6)
    list(racing.batches(search))
    assert racing.most == 8
    assert len(search.candidates) == 8
    assert learners(search).count("gbt") == 4


def spaces():
    return {
        "gbt": {"first": {"maxDepth": [2]}, "space": {"maxDepth": {"low": 1, "high": 9}}},
        "xgboost": {"first": [{"max_depth": [4]}], "space": {"max_depth": {"low": 1, "high": 9}}},
    }


def bred(search, **given):
    racing = genetic_race({**spaces(), **given}, AUTO, "roc_auc", Breeding(4, generations=2), seed=3)
    list(racing.batches(search))
    return racing


def test_generations_are_those_of_the_candidates_learner():
    search = Scored(lambda one: 0.9)
    racing = bred(search)
    assert set(racing.table()["learner"]) == {"gbt", "xgboost"}
    assert {"gbt generation 0", "xgboost generation 0"} <= set(search.opened)
    drawn = racing.generations
    assert drawn["learner=gbt maxDepth=2"][0] == 0
    assert drawn["learner=xgboost max_depth=4"][0] == 0
    names = {candidate_name(one) for one in search.candidates}
    assert drawn.keys() <= names
    assert sum(len(numbers) for numbers in drawn.values()) == racing.table()["candidates"].sum()


def test_genetic_race_that_ends_in_its_first_generations_has_a_table_without_rows():
    """Its findings asked for the diversity, of which the table had no column."""
    racing = genetic_race(spaces(), AUTO, "roc_auc", Breeding(4, generations=2), seed=3)
    batches = racing.batches(Scored(lambda one: 0.9))
    for _ in range(2):
        next(batches)
    table = racing.table()
    assert table.empty
    assert list(table) == [*COLUMNS, "learner"]


def test_genetic_race_draws_as_many_candidates_as_a_search_of_one_learner():
    """First candidates are drawn again, so a race of at most 10 went on from 8 and scored 12."""
    search = Scored(lambda one: 0.9)
    racing = bred(search)
    assert racing.table()["candidates"].sum() == 4 * 2
    assert len({candidate_name(one) for one in search.candidates}) <= racing.most


def test_same_seed_and_scores_race_the_same_way():
    first, second = Scored(lambda one: 0.9), Scored(lambda one: 0.9)
    bred(first), bred(second)
    assert first.candidates == second.candidates


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"boost": {"maxDepth": [1]}}, "must map learners to grids, got 'boost'"),
        ({"gbt": {"maxDepth": []}}, "at least one value for maxDepth"),
        ({"gbt": {"depth": [1]}}, "'depth', which learner 'gbt' does not have"),
        ({"gbt": []}, "grid of gbt must map parameters to values"),
        (
            {"gbt": [{"maxDepth": [1]}, {"maxDepth": [2], "maxIter": [3]}]},
            "the grids of gbt must set the same parameters: maxIter is only in some of them",
        ),
    ],
)
def test_grids_that_cannot_race_are_refused(given, said):
    with pytest.raises(UserError, match=said):
        grid_race(given, AUTO, "roc_auc")


def test_race_without_a_learner_of_the_task_is_refused():
    only = race([LEARNERS["random_forest"]])
    with pytest.raises(UserError, match="has none of random_forest: add one of them"):
        grid_race(GRIDS, only, "roc_auc")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"space": {"maxDepth": {"low": 1, "high": 9}}}, "space of gbt needs first and space"),
        (
            {"first": {"maxDepth": [12]}, "space": {"maxDepth": {"low": 1, "high": 9}}},
            "space of gbt does not contain its first candidate {'maxDepth': 12}",
        ),
    ],
)
def test_spaces_that_cannot_race_are_refused(given, said):
    with pytest.raises(UserError, match=said):
        genetic_race({**spaces(), "gbt": given}, AUTO, "roc_auc", Breeding(), seed=3)


@pytest.mark.parametrize("task", TASK_NAMES)
def test_all_learners_of_a_task_race_by_default(task):
    able = [one for one in LEARNERS.values() if task in one.fittings]
    grids = grid_race(load_grid("auto", AUTO), race(able), "f1")
    spaces = genetic_race(load_space("auto", AUTO), race(able), "f1", Breeding(), seed=1)
    for racing in (grids, spaces):
        assert {one.learner for one in racing.entrants} == {one.name for one in able}
