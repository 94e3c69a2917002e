from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from common.learning.parameters import Range
from common.plots.search import search_charts
from common.search.findings.candidates import parse_candidates
from common.search.findings.effects import find_effects, find_levels
from common.search.findings.find import find
from common.search.findings.words import headline, markdown
from tests.common.search.searches import grid, result, text

VALUES = {"maxDepth": [1, 3, 5], "maxIter": [10, 20], "impurity": ["gini", "entropy"]}


def score(maxDepth, maxIter, impurity):
    return 0.8 + 0.01 * maxDepth + 0.0001 * maxIter


def test_effects_of_a_whole_grid_are_plain_means():
    candidates = grid(score, **VALUES)
    found = {effect.parameter: effect for effect in find_effects(candidates).effects}
    for effect in found.values():
        means = [candidates.means[level.members].mean() for level in effect.levels]
        assert effect.means == pytest.approx(means)
    assert [level.label for level in found["maxDepth"].levels] == ["1", "3", "5"]
    assert not found["impurity"].ordered


def test_shares_are_those_of_an_analysis_of_variance():
    candidates = grid(score, **VALUES, noise=0)
    effects = find_effects(candidates)
    assert [effect.parameter for effect in effects.effects] == ["maxDepth", "maxIter", "impurity"]
    depth, trees, impurity = (effect.share for effect in effects.effects)
    between = np.var([0.01, 0.03, 0.05])
    assert depth == pytest.approx(between / np.var(candidates.means))
    assert depth + trees == pytest.approx(1)
    assert impurity == pytest.approx(0, abs=1e-9)
    assert all(pair.share == pytest.approx(0, abs=1e-9) for pair in effects.pairs)


def test_share_is_that_of_the_scores_that_rank_the_candidates():
    """Each fold has chance of its own, of which the mean over the folds has little."""
    by_chance = (0.03, -0.03, 0.02, -0.02, 0)
    results = [
        result({"a": a, "b": b}, 0.8 + 0.01 * b, noise=tuple(a * chance for chance in by_chance))
        for a in (1, 2)
        for b in (1, 2)
    ]
    candidates = parse_candidates(text(results))
    found = {effect.parameter: effect for effect in find_effects(candidates).effects}
    assert found["a"].share == pytest.approx(0, abs=1e-9)
    assert found["b"].share == pytest.approx(1)


def test_error_of_a_share_is_that_of_leaving_out_each_fold():
    rng = np.random.default_rng(3)
    results = [
        result({"a": a, "b": b}, 0.8 + 0.01 * b, noise=tuple(0.01 * rng.normal(size=5)))
        for a in (1, 2, 3)
        for b in (1, 2)
    ]
    candidates = parse_candidates(text(results))

    def share_of_a(means):
        levels = means.groupby(candidates.parameters["a"]).transform("mean")
        return np.var(levels) / np.var(means)

    without = [
        share_of_a(pd.Series(np.delete(candidates.folds, place, axis=1).mean(axis=1)))
        for place in range(5)
    ]
    (found,) = (one for one in find_effects(candidates).effects if one.parameter == "a")
    assert found.share == pytest.approx(share_of_a(pd.Series(candidates.means)))
    assert found.share_error == pytest.approx(np.sqrt(4 / 5 * ((without - np.mean(without)) ** 2).sum()))


def test_pair_has_what_its_parts_do_not_explain():
    candidates = grid(lambda a, b: 0.8 + 0.01 * (a == b), a=[1, 2], b=[1, 2], noise=0)
    effects = find_effects(candidates)
    assert [effect.share for effect in effects.effects] == pytest.approx([0, 0], abs=1e-9)
    assert effects.pairs[0].share == pytest.approx(1)


def test_value_is_not_credited_with_what_came_along_with_it():
    # Deep candidates mostly have more trees, and only the trees have an effect.
    drawn = [(1, 10)] * 3 + [(1, 20)] + [(5, 10)] + [(5, 20)] * 3
    results = [
        result({"maxDepth": depth, "maxIter": trees, "n": n}, 0.8 + 0.001 * trees)
        for n, (depth, trees) in enumerate(drawn)
    ]
    candidates = parse_candidates(text(results))
    candidates.parameters.drop(columns="n", inplace=True)
    found = {effect.parameter: effect for effect in find_effects(candidates).effects}
    assert found["maxDepth"].gain(1, 0).mean == pytest.approx(0, abs=1e-9)
    assert found["maxIter"].gain(1, 0).mean == pytest.approx(0.01)


@pytest.mark.parametrize("by_chance", [0, 1e-16])
@pytest.mark.parametrize("score", [1.0, 0.8234, 12345.678])
def test_candidates_that_score_alike_have_no_differences_to_explain(score, by_chance):
    found = find_effects(grid(lambda a, b: score, noise=by_chance, a=[1, 2, 3], b=[1, 2]))
    assert not found.differ
    assert [(effect.share, effect.share_error) for effect in found.effects] == [(0, 0)] * 2
    assert [pair.share for pair in found.pairs] == [0]


def test_folds_on_which_all_score_alike_do_not_lessen_what_is_explained():
    results = [result({"a": a}, 0.8, noise=(0.1 * a, 0, 0, 0, 0)) for a in (1, 2)]
    (effect,) = find_effects(parse_candidates(text(results))).effects
    assert effect.share == pytest.approx(1)
    assert np.isnan(effect.share_error)


def test_candidates_that_vary_together_are_not_told_apart():
    candidates = parse_candidates(text([result({"a": 1, "b": 1}, 0.8), result({"a": 2, "b": 2}, 0.9)]))
    assert not find_effects(candidates).apart
    assert [effect.apart for effect in find_effects(candidates).effects] == [False, False]
    assert find_effects(grid(score, **VALUES)).apart


def test_values_with_the_same_mean_are_said_to_score_alike():
    results = [result({"a": a, "b": b}, 0.75 + 0.125 * b) for a in (1, 2) for b in (1, 2)]
    found = find(parse_candidates(text(results)), {name: Range(int, 1, 9) for name in "ab"})
    (of_a,) = [one for one in found.parameters if one.name == "a"]
    same = replace(of_a, best=0, worst=0)
    told = markdown(replace(found, parameters=[same]), "gbt")
    assert "**a** matters little; its values score alike." in told


def test_parameter_that_varied_by_itself_is_told_apart_from_those_that_did_not():
    drawn = [(1, 1, 1), (2, 2, 1), (1, 1, 2), (2, 2, 2)]
    results = [result({"a": a, "b": b, "c": c}, 0.8 + 0.01 * c + 0.02 * a) for a, b, c in drawn]
    candidates = parse_candidates(text(results))
    assert {one.parameter: one.apart for one in find_effects(candidates).effects} == {
        "a": False,
        "b": False,
        "c": True,
    }
    told = markdown(find(candidates, {name: Range(int, 1, 9) for name in "abc"}), "gbt")
    assert "**a** varied together with others, so nothing can be said of its own effect." in told
    assert "**c** can be told apart; higher values are better: 2 gains 0.0100 ± 0.0000 over 1." in told
    assert "| a | unknown | unknown | unknown | unknown |" in told


def test_no_value_can_be_dropped_of_a_parameter_that_varied_together_with_others():
    """Of four candidates that differed in six parameters each value but the best's was to be dropped."""
    drawn = [(1, 1, 1), (2, 2, 1), (1, 1, 2), (2, 2, 2)]
    results = [result({"a": a, "b": b, "c": c}, 0.8 + 0.01 * c + 0.02 * a) for a, b, c in drawn]
    found = find(parse_candidates(text(results)), {name: Range(int, 1, 9) for name in "abc"})
    lines = [line.split(" | ") for line in markdown(found, "gbt").splitlines()]
    dropped = {line[0]: line[5] for line in lines if line[0] in ("| a", "| b", "| c")}
    assert dropped == {"| a": "unknown", "| b": "unknown", "| c": "1"}
    assert "can be dropped: c 1;" in headline(found)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, 1, 2], ["1", "2"]),
        ([0.5, 0.25, 1.0], ["0.25", "0.5", "1"]),
        (list(range(1, 8)), ["1 to 3", "4 to 5", "6 to 7"]),
        ([0.001, 0.002, 0.005, 0.02, 0.05, 0.5, 1.0], ["0.001 to 0.005", "0.02 to 0.05", "0.5 to 1"]),
        (list("abcdefgh"), list("abcdefgh")),
    ],
)
def test_many_numbers_are_looked_at_in_parts_of_their_range(values, labels):
    levels = find_levels(pd.Series(values))
    assert [level.label for level in levels] == labels
    assert sum(level.members for level in levels).tolist() == [1] * len(values)


def drawn(rows, noise, seed=0):
    """Candidates of three parameters drawn at random; the score depends on `a` and on chance."""
    random = np.random.default_rng(seed)
    values = random.integers(0, 3, (rows, 3))
    scores = 0.7 + 0.02 * values[:, 0] + noise * random.normal(size=rows)
    results = [
        result({**dict(zip("abc", map(int, each), strict=True)), "n": place}, float(score))
        for place, (each, score) in enumerate(zip(values, scores, strict=True))
    ]
    candidates = parse_candidates(text(results))
    candidates.parameters.drop(columns="n", inplace=True)
    return candidates


def test_gain_among_drawn_candidates_is_as_uncertain_as_the_candidates_make_it():
    """By another way: each candidate left out of the fit in turn, as the jackknife does."""
    candidates = drawn(40, noise=0.02)
    (found,) = (one for one in find_effects(candidates).effects if one.parameter == "b")
    terms = np.hstack([np.ones((40, 1))] + [np.eye(3)[candidates.parameters[name]] for name in "abc"])
    without = [np.arange(40) != place for place in range(40)]
    fits = [np.linalg.lstsq(terms[kept], candidates.means[kept], rcond=None)[0] for kept in without]
    gains = np.array([fit[5] - fit[4] for fit in fits])
    gain = found.gain(1, 0)
    whole = np.linalg.lstsq(terms, candidates.means, rcond=None)[0]
    assert gain.mean == pytest.approx(whole[5] - whole[4])
    assert gain.error == pytest.approx(np.sqrt(((gains - gain.mean) ** 2).sum()), rel=0.05)
    assert np.isnan(found.share_error)


def test_parameter_that_does_nothing_has_no_clear_gain_among_drawn_candidates():
    """With the folds' error alone, which all candidates share, it nearly always had."""
    clear = dict.fromkeys("abc", 0)
    for seed in range(30):
        for effect in find_effects(drawn(40, noise=0.01, seed=seed)).effects:
            clear[effect.parameter] += effect.gain(2, 0).clear
    assert clear["a"] >= 25
    assert max(clear["b"], clear["c"]) <= 3


def test_gain_of_a_value_with_one_candidate_is_of_unknown_error():
    candidates = drawn(20, noise=0.01)
    candidates.parameters.loc[:, "c"] = [7] + [1, 2] * 9 + [1]
    (found,) = (one for one in find_effects(candidates).effects if one.parameter == "c")
    assert [level.label for level in found.levels] == ["1", "2", "7"]
    assert found.gain(2, 0).error == np.inf
    assert not found.gain(2, 0).clear
    assert np.isfinite(found.gain(1, 0).error)
    assert "± unknown" in markdown(find(candidates, dict.fromkeys("abc", Range(int, 0, 9))), "gbt")


def test_values_that_three_digits_make_alike_are_told_apart():
    assert [level.label for level in find_levels(pd.Series([0.2004, 0.2001, 0.3]))] == [
        *("0.2001", "0.2004", "0.3")
    ]


@pytest.mark.parametrize("seed", range(20))
def test_parameter_that_varies_alone_explains_all(seed):
    draw = np.random.default_rng(seed)
    results = [result({"a": a, "b": 1}, 600 + a, draw.normal(0, 50, 5)) for a in (1, 2, 3)]
    (effect,) = find_effects(parse_candidates(text(results, "rmse"), "rmse")).effects
    assert effect.share == 1


def test_share_that_no_parameter_alone_explains_is_told_of_what_is_no_grid():
    """Where c differs, a does too: of two that score alike one has it at 0, the other not."""
    results = [
        result({"a": a, "c": c}, score, [0.01, -0.01, 0.0, 0.005, -0.005])
        for a, c, score in ((0, 0, 0.7), (0.1, 0, 0.6), (0.1, 0.5, 0.6))
    ]
    candidates = parse_candidates(text(results))
    found = find_effects(candidates)
    shares = {effect.parameter: effect.share for effect in found.effects}
    assert shares == pytest.approx({"a": 0.75, "c": 0})
    assert found.unassigned == pytest.approx(0.25)
    said = markdown(find(candidates, {"a": Range(float, 0, 1), "c": Range(float, 0, 1)}), "gbt")
    assert "no whole grid" in said
    assert "25% of it is explained by several, or by none" in said
    (chart,) = (one for one in search_charts(candidates) if one.name == "importance")
    assert "no whole grid: 25% of the variance" in chart.note


def test_whole_grid_says_nothing_of_shares_that_nothing_alone_explains():
    results = [result({"a": a, "c": c}, a + a * c) for a in (1, 2) for c in (1, 2)]
    candidates = parse_candidates(text(results))
    assert find_effects(candidates).whole
    assert "whole grid" not in markdown(find(candidates, dict.fromkeys("ac", Range(int, 0, 9))), "gbt")
