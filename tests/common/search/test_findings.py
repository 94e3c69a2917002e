import math

import numpy as np
import pandas as pd
import pytest
import yaml

from common.learners import Choice, Range, get_learner
from common.search.candidates import parse_candidates
from common.search.findings import find, grid_yaml
from common.search.findings_text import headline, markdown
from common.search.grid import grid_candidates
from common.search.next_grid import MOST_CANDIDATES, edge_of, next_values, shrink
from common.search.result import CandidateFailure
from tests.common.search.searches import grid, result, text

GBT = get_learner("gbt")
# As the coarse grid's: more bins help, depth 1 is bad, 5 is best, twice the trees gain little.
VALUES = {"maxDepth": [1, 5, 7], "maxBins": [8, 16, 32], "maxIter": [25, 50], "stepSize": [0.1, 0.2, 0.3]}


def score(maxDepth, maxBins, maxIter, stepSize):
    depth = {1: 0, 5: 0.02, 7: 0.0187}[maxDepth]
    return 0.8 + depth + 0.004 * math.log2(maxBins) + 0.00001 * maxIter - 0.05 * (stepSize - 0.21) ** 2


@pytest.fixture(scope="module")
def found():
    return find(grid(score, **VALUES, noise=0.001), GBT.parameters)


def test_findings_say_direction_size_and_what_can_go(found):
    by_name = {finding.name: finding for finding in found.parameters}
    depth, bins, trees = (by_name[name] for name in ("maxDepth", "maxBins", "maxIter"))
    assert depth.shape == "peaks"
    assert depth.gain.mean == pytest.approx(0.02, abs=1e-3)
    assert depth.gain.clear
    assert depth.dropped == ["1", "7"]
    assert bins.shape == "rises"
    assert bins.edge == "upper"
    assert bins.dropped == ["8", "16"]
    assert trees.little
    assert not depth.little


def test_difference_within_the_folds_noise_is_not_clear():
    results = [result({"maxDepth": 3}, 0.8001, [0.01, -0.01, 0, 0, 0.01]), result({"maxDepth": 5}, 0.8)]
    finding = find(parse_candidates(text(results)), GBT.parameters).parameters[0]
    assert not finding.gain.clear
    assert finding.dropped == []


def test_text_names_what_was_computed(found):
    said = markdown(found)
    assert "**maxDepth=5, maxBins=32, maxIter=50, stepSize=0.2**" in said
    assert "best between the ends, at 5: 5 gains 0.02" in said
    assert "**maxIter** matters little" in said
    assert "The best lies on the upper edge" in said
    assert "can go: maxDepth 1, 7; maxBins 8, 16" in headline(found)


def test_same_candidates_give_the_same_bytes(found):
    again = find(grid(score, **VALUES, noise=0.001), GBT.parameters)
    assert markdown(again) == markdown(found)
    assert grid_yaml(again) == grid_yaml(found)


def test_next_grid_is_taken_as_it_is_with_the_best_in_it(found):
    content = yaml.safe_load(grid_yaml(found))
    candidates = grid_candidates(content, GBT)
    assert found.candidates.best in candidates
    assert len(candidates) <= MOST_CANDIDATES
    assert content["maxBins"] == [32, 64, 128]
    assert content["maxDepth"] == [3, 5, 6]
    assert content["stepSize"] == [0.15, 0.2, 0.25]


def test_nothing_is_said_of_one_candidate():
    found = find(parse_candidates(text([result({"maxDepth": 3}, 0.8)])), GBT.parameters)
    assert "nothing can be said" in markdown(found)
    assert found.grid == {"maxDepth": [3]}


def test_failed_candidates_are_named():
    failures = [CandidateFailure({"maxDepth": 30}, "out of memory")]
    results = [result({"maxDepth": depth}, 0.8) for depth in (3, 5)]
    said = markdown(find(parse_candidates(text(results, failures=failures)), GBT.parameters))
    assert "1 candidate failed" in said
    assert "- maxDepth=30: out of memory" in said


def test_genetic_search_goes_on_around_its_best():
    rng = np.random.default_rng(1)
    learner = get_learner("xgboost")
    results = []
    for _ in range(60):
        rate, depth = float(rng.uniform(0.01, 0.5)), int(rng.integers(2, 11))
        policy = str(rng.choice(["depthwise", "lossguide"]))
        parameters = {"learning_rate": rate, "max_depth": depth, "grow_policy": policy}
        results.append(result(parameters, 0.8 - (rate - 0.2) ** 2 - 0.001 * (depth - 5) ** 2))
    drawn = {one.name: [number // 10] for number, one in enumerate(results)}
    found = find(parse_candidates(text(results, generations=drawn)), learner.parameters)
    candidates = grid_candidates(yaml.safe_load(grid_yaml(found)), learner)
    assert found.candidates.best in candidates
    assert 1 < len(candidates) <= MOST_CANDIDATES
    assert "drawn towards what scored well" in markdown(found)


COUNT, SHARE = Range(int, 1, 100), Range(float, 0, 1)


@pytest.mark.parametrize(
    ("tried", "best", "kind", "kept", "steps", "expected"),
    [
        ([8, 16, 32], 32, Range(int, 2, 4096), [], 2, [32, 64, 128]),
        ([8, 16, 32], 8, Range(int, 2, 4096), [], 2, [2, 4, 8]),
        ([8, 16, 32], 32, Range(int, 2, 4096), [16], 1, [23, 32, 64]),
        ([10, 20, 30], 30, Range(int, 1, 35), [], 2, [30, 35]),
        ([0.5, 1.0], 1.0, SHARE, [0.5], 2, [0.707, 1.0]),
        ([0.0, 0.1], 0.0, SHARE, [], 1, [0.0, 0.05]),
        ([1, 5, 9], 5, COUNT, [], 2, [3, 5, 7]),
        ([4, 5, 6], 5, COUNT, [4], 2, [4, 5]),
        ([4, 5, 6], 5, COUNT, [4, 6], 0, [5]),
        (["a", "b", "c"], "b", Choice(("a", "b", "c")), ["a", "b"], 2, ["a", "b"]),
        ([3], 3, COUNT, [3], 2, [3]),
    ],
)
def test_next_values_go_beyond_an_edge_and_refine_inside(tried, best, kind, kept, steps, expected):
    found = next_values(pd.Series(tried), best, kind, kept, steps)
    assert sorted(found) == expected
    assert found[0] == best


def test_end_of_what_the_learner_takes_is_no_edge():
    tried = pd.Series([0.5, 0.8, 1.0])
    assert edge_of(tried, 1.0, SHARE) == ""
    assert edge_of(tried, 0.5, SHARE) == "lower"
    assert edge_of(tried, 0.8, SHARE) == ""


def test_values_that_are_wanted_least_are_left_out_where_it_matters_least():
    full = {"a": [2, 1, 3], "b": [5, 6, 4], "c": [3, 1, 2], "d": [1, 2, 3, 4]}
    left = shrink(full, ["c", "a", "d", "b"])
    assert left == {"a": [2, 1, 3], "b": [5, 6, 4], "c": [3, 1], "d": [1, 2, 3]}
    assert math.prod(map(len, left.values())) == MOST_CANDIDATES


def test_better_side_is_wanted_first():
    assert next_values(pd.Series([5, 9, 1]), 5, COUNT, [], 2) == [5, 7, 3]
    assert next_values(pd.Series([5, 1, 9]), 5, COUNT, [], 2) == [5, 3, 7]
