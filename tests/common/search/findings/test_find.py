import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from common.learning.learners import get_learner
from common.learning.parameters import Choice, Range
from common.search.findings.candidates import parse_candidates
from common.search.findings.find import LITTLE, LITTLE_TOGETHER, _shape, find, grid_yaml
from common.search.findings.next_grid import MOST_CANDIDATES, edge_of, next_values, shrink
from common.search.findings.words import headline, markdown
from common.search.grid import grid_candidates
from common.search.result import CandidateFailure
from tests.common.search.searches import grid, result, text

GBT = get_learner("gbt")
XGBOOST = get_learner("xgboost")
# Like the coarse grid: more bins help, depth 1 is bad, 5 is best, twice the trees gain little.
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
    said = markdown(found, "gbt")
    assert "**maxDepth=5, maxBins=32, maxIter=50, stepSize=0.2**" in said
    assert "best between the ends, at 5: 5 gains 0.02" in said
    assert "**maxIter** matters little" in said
    assert "The best is on the upper edge" in said
    assert "can be dropped: maxDepth 1, 7; maxBins 8, 16" in headline(found)


def test_same_candidates_give_the_same_bytes(found):
    again = find(grid(score, **VALUES, noise=0.001), GBT.parameters)
    assert markdown(again, "gbt") == markdown(found, "gbt")
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
    assert "nothing can be said" in markdown(found, "gbt")
    assert found.grid == {"maxDepth": [3]}


def test_failed_candidates_are_named():
    failures = [CandidateFailure({"maxDepth": 30}, "out of memory")]
    results = [result({"maxDepth": depth}, 0.8) for depth in (3, 5)]
    said = markdown(find(parse_candidates(text(results, failures=failures)), GBT.parameters), "gbt")
    assert "1 candidate failed and is not included above:\n\n- maxDepth=30: out of memory" in said
    failures.append(CandidateFailure({"maxDepth": 29}, "out of memory"))
    said = markdown(find(parse_candidates(text(results, failures=failures)), GBT.parameters), "gbt")
    assert "2 candidates failed and are not included above:\n\n- maxDepth=29" in said


def test_value_with_which_candidates_fail_is_tried_and_not_proposed_again():
    failures = [CandidateFailure({"maxDepth": 2}, "out of memory")]
    results = [result({"maxDepth": depth}, score) for depth, score in ((5, 0.9), (8, 0.8), (11, 0.7))]
    (alone,) = find(parse_candidates(text(results)), GBT.parameters).parameters
    assert (alone.edge, alone.next) == ("lower", [5, 2, 0])
    (beside,) = find(parse_candidates(text(results, failures=failures)), GBT.parameters).parameters
    assert (beside.edge, beside.next) == ("", [5, 6, 4])


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
    assert "drawn towards what scored well" in markdown(found, "gbt")


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


def test_error_of_a_share_is_none_only_where_there_is_none():
    draw = np.random.default_rng(1)
    results = [
        result({"maxDepth": depth, "maxIter": trees}, 0.8 + depth / 100, draw.normal(0, 0.0001, 5))
        for depth in (3, 5)
        for trees in (10, 20)
    ]
    said = markdown(find(parse_candidates(text(results)), GBT.parameters), "gbt")
    assert "| maxIter | <0.1% ± <0.1% |" in said
    alone = [one for one in results if one.parameters["maxIter"] == 20]
    assert "| maxDepth | 100.0% ± 0.0% |" in markdown(
        find(parse_candidates(text(alone)), GBT.parameters), "gbt"
    )


def test_command_that_searches_the_next_grid_has_the_settings_of_the_search(found):
    said = markdown(found, "gbt", "runs:/1/next_grid.yaml", ["features=runs:/2", "folds=3"])
    assert (
        "`mlflow run . -e train_grid -P features=runs:/2 -P folds=3 -P learner=gbt "
        "-P grid=runs:/1/next_grid.yaml`" in said
    )


def test_next_grid_that_has_nothing_new_is_not_to_be_searched():
    """As main says of it, which searches no further round then."""
    one = find(parse_candidates(text([result({"maxDepth": 3, "stepSize": 0.1}, 0.8)])), GBT.parameters)
    said = markdown(one, "gbt")
    assert "It contains the best candidate, and nothing new to try.\n" in said
    assert "mlflow run" not in said


def test_best_is_on_no_edge_of_values_that_score_alike():
    """Its value was the first by name: `maxIter is best on its lower edge`, of all that scored 1."""
    candidates = grid(
        lambda maxDepth, maxIter: 0.8 + maxDepth / 100, noise=0, maxDepth=[3, 5], maxIter=[10, 20]
    )
    found = find(candidates, GBT.parameters)
    assert {one.name: one.edge for one in found.parameters} == {"maxDepth": "upper", "maxIter": ""}
    assert "maxIter is best" not in headline(found)
    alike = find(grid(lambda maxDepth: 0.8, noise=0, maxDepth=[3, 5]), GBT.parameters)
    assert "edge of the values tried" not in markdown(alike, "gbt")


def test_number_that_stands_for_no_limit_is_no_neighbour_of_the_others():
    depth = XGBOOST.parameters["max_depth"]
    assert next_values(pd.Series([1, 2, 3]), 1, depth, [1, 2], 2) == [1, 2]
    assert edge_of(pd.Series([1, 2, 3]), 1, depth) == ""
    assert next_values(pd.Series([2, 4]), 2, depth, [2, 4], 2) == [2, 1, 3]
    assert depth.check("max_depth", 0) == 0


def test_values_that_are_wanted_least_are_left_out_where_it_matters_least():
    full = {"a": [2, 1, 3], "b": [5, 6, 4], "c": [3, 1, 2], "d": [1, 2, 3, 4]}
    left = shrink(full, ["c", "a", "d", "b"])
    assert left == {"a": [2, 1, 3], "b": [5, 6, 4], "c": [3, 1], "d": [1, 2, 3]}
    assert math.prod(map(len, left.values())) == MOST_CANDIDATES


def test_better_side_is_wanted_first():
    assert next_values(pd.Series([5, 9, 1]), 5, COUNT, [], 2) == [5, 7, 3]
    assert next_values(pd.Series([5, 1, 9]), 5, COUNT, [], 2) == [5, 3, 7]


def test_next_values_of_many_are_in_no_range_that_can_be_dropped():
    tried = pd.Series([44, 85, 36, 48, 55, 60, 116, 90, 20, 16])
    above = [(50, 79), (83, 116)]
    assert next_values(tried, 44, COUNT, [], 2)[1:] == [36, 66]
    # The middle before the range that is nearest.
    assert next_values(tried, 44, COUNT, [], 2, above) == [44, 36, 47]
    # None is left between 44 and 45.
    assert next_values(tried, 44, COUNT, [], 2, [(45, 116)]) == [44, 36]


def test_next_values_of_many_are_middles_on_the_scale_of_the_values():
    tried = pd.Series([0.1, 0.2, 0.3, 0.4, 0.001, 0.002, 1.0])
    (middle,) = [value for value in next_values(tried, 0.1, SHARE, [], 2)[1:] if value < 0.1]
    assert middle == 0.01


def test_what_follows_a_genetic_search_contradicts_none_of_its_findings():
    draw = np.random.default_rng(2)
    results = []
    for _ in range(30):
        rate, depth, trees = 10 ** draw.uniform(-2, 0), *map(int, draw.integers([2, 5], [9, 120]))
        parameters = {"maxDepth": depth, "stepSize": rate, "maxIter": trees}
        score = 0.9 - 0.08 * (math.log10(rate) + 0.9) ** 2 - 0.01 * abs(depth - 4) + 0.00005 * trees
        results.append(result(parameters, score, draw.normal(0, 0.001, 5)))
    drawn = {one.name: [number // 10] for number, one in enumerate(results)}
    found = find(parse_candidates(text(results, generations=drawn)), GBT.parameters)
    dropped = [
        (one.name, level.low, level.high)
        for one in found.parameters
        for level, behind in zip(one.effect.levels, one.behind, strict=True)
        if behind.clear
    ]
    assert dropped
    assert not [
        (name, value) for name, low, high in dropped for value in found.grid[name] if low <= value <= high
    ]


def small(metric="f1", sign=1, noise=0.0001):
    """A search in which depth matters most, trees little but clearly, and bins not at all."""
    depths = {2: 0, 4: 0.02, 6: 0.01}
    candidates = grid(
        lambda maxDepth, maxIter, maxBins: sign * (0.8 + depths[maxDepth] + 0.001 * (maxIter == 20)),
        metric,
        noise=noise,
        maxDepth=[2, 4, 6],
        maxIter=[10, 20],
        maxBins=[16, 32],
    )
    found = find(candidates, GBT.parameters)
    return found, {finding.name: finding for finding in found.parameters}


def test_parameters_stand_in_the_order_of_what_they_explain():
    found, _ = small()
    assert [finding.name for finding in found.parameters] == ["maxDepth", "maxIter", "maxBins"]
    assert found.apart


@pytest.mark.parametrize(("metric", "sign"), [("f1", 1), ("log_loss", -1)])
def test_best_and_worst_levels_are_those_of_the_metric_and_gains_are_positive(metric, sign):
    _, by_name = small(metric, sign)
    depth, trees = by_name["maxDepth"], by_name["maxIter"]
    assert (depth.best, depth.worst, depth.winner, depth.shape) == (1, 0, 1, "peaks")
    assert (trees.best, trees.worst, trees.winner, trees.shape) == (1, 0, 1, "rises")
    assert depth.gain.mean == pytest.approx(0.02, abs=2e-4)
    assert trees.gain.mean == pytest.approx(0.001, abs=2e-4)
    assert depth.gain.clear
    assert trees.gain.clear
    assert [one.mean for one in depth.behind] == pytest.approx([0.02, 0, 0.01], abs=2e-4)
    assert [one.mean for one in trees.behind] == pytest.approx([0.001, 0], abs=2e-4)
    assert (depth.edge, trees.edge) == ("", "upper")


def test_what_matters_little_is_gone_on_with_less_and_what_does_nothing_not_at_all():
    found, by_name = small()
    depth, trees, bins = (by_name[name] for name in ("maxDepth", "maxIter", "maxBins"))
    assert (depth.little, trees.little, bins.little) == (False, True, True)
    assert not bins.gain.clear

    def following(finding, kept, steps):
        values = found.candidates.parameters[finding.name]
        best = found.candidates.best[finding.name]
        return next_values(values, best, GBT.parameters[finding.name], kept, steps)

    assert trees.next == following(trees, [], 1) != following(trees, [], 2)
    assert depth.next == following(depth, [4], 2)
    assert bins.next == [found.candidates.best["maxBins"]]
    assert (depth.dropped, trees.dropped, bins.dropped) == (["2", "6"], ["10"], [])


def test_parameters_that_matter_together_alone_are_gone_on_with():
    candidates = grid(
        lambda maxDepth, maxIter: 0.8 + 0.01 * ((maxDepth == 2) == (maxIter == 10)),
        noise=0.0001,
        maxDepth=[2, 4],
        maxIter=[10, 20],
    )
    found = find(candidates, GBT.parameters)
    assert all(finding.little for finding in found.parameters)
    assert all(len(finding.next) > 1 for finding in found.parameters)


def test_candidates_that_the_folds_cannot_tell_from_the_best_are_counted():
    found, _ = small()
    clear = [behind.clear for behind in found.candidates.behind]
    assert found.alike == clear[1:].count(False) == 1
    scores = found.candidates.folds[0]
    assert found.error == pytest.approx(scores.std(ddof=1) / math.sqrt(5))


def test_search_of_one_candidate_has_no_effects():
    found = find(parse_candidates(text([result({"maxDepth": 3}, 0.8)])), GBT.parameters)
    assert (found.effects, found.parameters, found.alike, found.apart) == (None, [], 0, False)
    assert found.error == pytest.approx(found.candidates.folds[0].std(ddof=1) / math.sqrt(5))
    assert grid_yaml(found) == "# 1 candidate around the best of 1\nmaxDepth: [3]\n"


def test_next_grid_is_written_a_line_a_parameter_in_their_order(found):
    assert grid_yaml(found) == (
        "# 54 candidates around the best of 54\n"
        "maxDepth: [3, 5, 6]\n"
        "maxBins: [32, 64, 128]\n"
        f"maxIter: {list(found.grid['maxIter'])}\n"
        "stepSize: [0.15, 0.2, 0.25]\n"
    )
    assert list(found.grid) == ["maxDepth", "maxBins", "maxIter", "stepSize"]


def test_parameter_that_did_not_vary_stays_as_it_is():
    results = [result({"maxDepth": depth, "maxIter": 7}, 0.8 + depth / 1000) for depth in (3, 5)]
    found = find(parse_candidates(text(results)), GBT.parameters)
    assert found.grid["maxIter"] == [7]
    assert len(found.grid["maxDepth"]) > 1


@pytest.mark.parametrize(
    ("scores", "shape"),
    [
        ([1, 2, 3], "rises"),
        ([3, 2, 1], "falls"),
        ([1, 3, 2], "peaks"),
        ([2, 1, 3], "neither"),
        ([2, 1, 3, 2], "neither"),
        ([1, 3, 2, 2.5], "neither"),
        ([1, 1, 2], "neither"),
        ([2, 1, 1], "neither"),
        ([3, 1, 2], "neither"),
        ([1, 3, 3, 2], "neither"),
        ([1, 1, 3, 2], "neither"),
        ([1, 3, 2, 2], "neither"),
    ],
)
def test_shape_of_an_effect(scores, shape):
    assert _shape(np.array(scores), True) == shape
    assert _shape(np.array(scores), False) == "neither"


def test_share_at_the_bound_is_not_little():
    assert (LITTLE, LITTLE_TOGETHER) == (0.05, 0.02)
    _, by_name = small()
    depth = by_name["maxDepth"]
    for share, little in ((0.05, False), (0.0499, True)):
        assert replace(depth, effect=replace(depth.effect, share=share)).little == little


# A price: the lower the error, the better; depth 5 has the lowest.
def error(maxDepth, maxIter):
    return 54321.9 + {3: 4000.0, 5: 0.0, 7: 1500.0}[maxDepth] - 2.0 * maxIter


@pytest.fixture(scope="module")
def of_numbers():
    return find(grid(error, "rmse", 50.0, maxDepth=[3, 5, 7], maxIter=[25, 50]), GBT.parameters)


def test_lower_error_is_better_and_shown_by_its_size(of_numbers):
    depth = next(one for one in of_numbers.parameters if one.name == "maxDepth")
    assert depth.shape == "peaks"
    assert depth.gain.mean == pytest.approx(4000, rel=0.05)
    assert depth.gain.clear
    assert depth.dropped == ["3", "7"]
    best, said = of_numbers.candidates, markdown(of_numbers, "gbt")
    assert best.means[0] == best.means.min()
    assert f"(lowest mean of 5 folds): **maxDepth=5, maxIter=50**, {best.means[0]:,.0f} ± " in said
    gain = f"{depth.gain.mean:.1f} ± {depth.gain.error:#.5g}"
    assert f"best between the ends, at 5: 5 gains {gain} over 3." in said
    assert "54321" not in said
    assert not re.search(r"\d{3}\.\d{4}", said)


def test_difference_by_rounding_alone_is_not_clear_whatever_the_scores_size():
    for size in (1e-6, 1.0, 1e9):
        results = [result({"maxDepth": 3}, size), result({"maxDepth": 5}, size * (1 + 1e-14))]
        finding = find(parse_candidates(text(results, "rmse")), GBT.parameters).parameters[0]
        assert not finding.gain.clear, size


def raced(scores, metric="roc_auc"):
    """Findings of a race that gbt won, with these scores by its depth."""
    results = [result({"learner": "gbt", "maxDepth": d}, score) for d, score in scores.items()]
    results.append(result({"learner": "random_forest", "maxDepth": 3, "numTrees": 20}, -0.5))
    return find(parse_candidates(text(results, metric)), GBT.parameters)


def test_findings_of_a_race_say_whose_candidates_they_are_about():
    assert headline(raced({3: 0.8, 5: 0.8})) == "of gbt, both candidates score alike"
    assert headline(raced({3: 0.8, 5: 0.8, 7: 0.8})) == "of gbt, all candidates score alike"
    assert headline(raced({3: 0.8})) == "of gbt, no hyperparameter varied"
    assert headline(raced({3: 0.8, 5: 0.9})).startswith("of gbt, maxDepth explains 100%")


def test_learners_of_a_race_that_could_not_be_fitted_are_named():
    results = [result({"learner": "gbt", "maxDepth": depth}, 0.8) for depth in (3, 5)]
    failures = [
        CandidateFailure({"learner": learner, "maxDepth": 9}, "no")
        for learner in ("gbt", "random_forest", "xgboost")
    ]
    said = markdown(find(parse_candidates(text(results, failures=failures)), GBT.parameters), "gbt")
    assert (
        "learner: **gbt** 0.8000 (of 2). Each candidate that was tried of random_forest and xgboost "
        "failed. What follows" in said
    )
    assert "failed" not in markdown(raced({3: 0.8}), "gbt")


def test_headline_has_no_share_of_what_the_folds_cannot_distinguish_from_zero():
    by_chance = (0.03, -0.02, 0.02, -0.01, 0)
    results = [
        result({"maxDepth": depth, "maxIter": trees}, 0.0005 * trees, [sign * one for one in by_chance])
        for depth, sign in ((3, 1), (5, -1))
        for trees in (20, 40)
    ]
    found = find(parse_candidates(text(results)), GBT.parameters)
    shares = {one.name: one.effect.share for one in found.parameters}
    assert min(shares.values()) > LITTLE
    assert headline(found).startswith("maxIter explains 61%; ")
    by_chance_alone = [one for one in results if one.parameters["maxIter"] == 20]
    found = find(parse_candidates(text(by_chance_alone)), GBT.parameters)
    assert headline(found).startswith("no clear effects")
    assert "In short: no clear effects" in markdown(found, "gbt")


@pytest.mark.parametrize("metric", ["f1", "recall_macro"])
def test_candidates_whose_predicted_labels_score_alike_are_said_to_be_in_no_order(metric):
    """As where no candidate predicts a rare label: the best of them is the best by nothing."""
    said = headline(raced({3: 0.0, 5: 0.0}, metric))
    assert said == (
        f"of gbt, both candidates score alike by {metric}, which knows predicted labels alone, so the "
        "best is the first by name: metric=roc_auc may tell them apart"
    )


def test_values_that_score_alike_but_for_rounding_have_no_gain():
    scores = {3: 4e9, 5: 4e9 * (1 + 1e-15)}
    results = [result({"maxDepth": depth}, score) for depth, score in scores.items()]
    said = markdown(find(parse_candidates(text(results, "rmse")), GBT.parameters), "gbt")
    assert "| maxDepth | 0.0% ± 0.0% | alike | alike | none | none |" in said
    assert "e-07" not in said
