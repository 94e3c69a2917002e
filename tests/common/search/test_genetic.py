import pytest

from common.learning.learners import get_learner
from common.learning.metrics import METRICS
from common.search.breeding import CROSSOVERS, Breeding
from common.search.genetic import GeneticSearch
from common.search.result import CandidateFailure, CandidateResult, candidate_name
from common.search.space import is_within, make_space

SPACE = make_space(
    {
        "maxDepth": {"low": 1, "high": 20},
        "stepSize": {"low": 0.01, "high": 1, "log": True},
        "maxIter": {"low": 1, "high": 100},
    },
    get_learner("gbt"),
)


def score(candidate):
    """Highest where depth is 12 and the step is 0.1."""
    value = 1 - abs(candidate["maxDepth"] - 12) / 20 - abs(candidate["stepSize"] - 0.1)
    return CandidateResult(candidate, (dict.fromkeys(METRICS, value),), 0.0)


def run(seed=1, generations=6, patience=10, evaluate=score, metric="f1", first=(), **breeding):
    length = {"generations": generations, "patience": patience}
    bred = Breeding(**{"population": 8, **length, **breeding})
    search = GeneticSearch(SPACE, metric, bred, seed, first)
    drawn = []
    while search.goes_on():
        generation = search.ask()
        drawn.append(generation)
        search.tell(generation, {candidate_name(c): evaluate(c) for c in generation.new})
    return search, drawn


def test_generations_get_better_and_stay_within_the_space():
    search, drawn = run(generations=12)
    table = search.table()
    assert table["best_so_far"].is_monotonic_increasing
    assert table["mean"].iloc[-1] > table["mean"].iloc[0] + 0.05
    assert all(is_within(candidate, SPACE) for generation in drawn for candidate in generation.drawn)
    assert table["diversity"].iloc[-1] < table["diversity"].iloc[0]


def test_lowest_is_best_for_a_loss():
    search, _ = run(metric="log_loss")
    assert search.table()["best_so_far"].is_monotonic_decreasing


def loss(candidate):
    """Lowest where depth is 12 and the step is 0.1."""
    value = 1 - score(candidate).mean("f1")
    return CandidateResult(candidate, (dict.fromkeys(METRICS, value),), 0.0)


def test_generations_of_a_loss_breed_from_the_lowest():
    search, _ = run(metric="log_loss", evaluate=loss, generations=12)
    table = search.table()
    assert table["mean"].iloc[-1] < table["mean"].iloc[0] - 0.05
    assert (table["best"] <= table["mean"]).all()
    assert (table["mean"] <= table["worst"]).all()


def test_row_of_a_generation_is_that_of_its_candidates():
    search, drawn = run(generations=5)
    for row, generation in zip(search.rows, drawn, strict=True):
        values = [score(candidate).mean("f1") for candidate in generation.drawn]
        assert (row["best"], row["worst"]) == (max(values), min(values))
        assert row["mean"] == pytest.approx(sum(values) / len(values))
        assert row["candidates"] == len(values) == 8
        assert row["fitted"] == len(generation.new)
    bests = [row["best"] for row in search.rows]
    assert search.table()["best_so_far"].tolist() == [max(bests[: n + 1]) for n in range(5)]
    for name, numbers in search.generations.items():
        assert numbers == [
            g.number for g in drawn for candidate in g.drawn if candidate_name(candidate) == name
        ]


def test_failed_candidates_of_a_loss_have_no_children():
    def evaluate(candidate):
        return CandidateFailure(candidate, "x") if candidate["maxDepth"] > 10 else loss(candidate)

    _, drawn = run(metric="log_loss", evaluate=evaluate, generations=8)
    deep = [sum(c["maxDepth"] > 10 for c in generation.drawn) for generation in drawn]
    assert deep[-1] < deep[0]


@pytest.mark.parametrize("breeding", [{"crossover": c} for c in CROSSOVERS] + [{"mutation": "uniform"}])
def test_same_seed_draws_the_same(breeding):
    (_, one), (_, two), (_, other) = (run(seed=s, generations=3, **breeding) for s in (1, 1, 2))
    assert [generation.drawn for generation in one] == [generation.drawn for generation in two]
    assert one[0].drawn != other[0].drawn


def test_candidate_drawn_again_is_not_new():
    search, drawn = run(generations=20, patience=20, mutation_prob=0.01)
    names = [candidate_name(candidate) for generation in drawn for candidate in generation.new]
    assert len(names) == len(set(names))
    table = search.table()
    assert table["fits_saved"].sum() > 0
    assert (table["fitted"] + table["fits_saved"] == 8).all()


def test_search_ends_after_generations_without_a_better_best():
    same = CandidateResult({}, (dict.fromkeys(METRICS, 0.5),), 0.0)
    search, drawn = run(evaluate=lambda candidate: same, generations=9, patience=3)
    assert len(drawn) == 4
    assert search.table()["best_so_far"].tolist() == [0.5] * 4


def test_first_generation_begins_with_given_candidates_that_fit_the_space():
    good = {"maxDepth": 12, "stepSize": 0.1, "maxIter": 5}
    _, drawn = run(generations=1, first=[{**good, "maxDepth": 30}, good])
    assert drawn[0].drawn[0] == good


def test_failed_candidates_have_no_children():
    def evaluate(candidate):
        return CandidateFailure(candidate, "x") if candidate["maxDepth"] > 10 else score(candidate)

    search, drawn = run(evaluate=evaluate, generations=8)
    deep = [sum(c["maxDepth"] > 10 for c in generation.drawn) for generation in drawn]
    assert deep[-1] < deep[0]
    assert len(search.table()) == 8


def test_search_whose_candidates_all_fail_ends_and_says_nothing_was_found():
    search, _ = run(
        evaluate=lambda candidate: CandidateFailure(candidate, "x"), generations=9, patience=2
    )
    assert search.table()["best"].isna().all()
    assert len(search.table()) < 9


def test_table_without_a_generation_has_the_same_columns():
    none, _ = run(generations=0)
    some, _ = run(generations=1)
    assert none.table().empty
    assert none.table().columns.tolist() == some.table().columns.tolist()
