import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common.learning.learners import get_learner
from common.plots.chart import Parallel, Points
from common.plots.interactive import page
from common.plots.search import search_charts
from common.plots.still import _score_ticks, stills
from common.search.breeding import Breeding
from common.search.findings.candidates import parse_candidates
from common.search.findings.find import find
from common.search.findings.words import markdown
from common.search.genetic import GeneticSearch
from common.search.result import CandidateFailure, candidate_name
from common.search.space import make_space
from tests.common.search.searches import grid, result, text

GBT = get_learner("gbt")
# Values of two parameters in candidates that are no whole grid.
SOME = [(1, 1), (1, 2), (2, 2), (3, 1), (3, 3), (2, 3)]
GRID = ["effects", "parallel", "importance", "pairs", "time"]


def names(charts):
    return [chart.name for chart in charts]


def by_name(charts):
    return {chart.name: chart for chart in charts}


@pytest.fixture(scope="module")
def coarse():
    return grid(
        lambda maxDepth, impurity, regParam: (
            0.8 + 0.01 * maxDepth + (impurity == "gini") * 0.002 + regParam
        ),
        maxDepth=[1, 3, 5],
        impurity=["gini", "entropy"],
        regParam=[0.0, 0.001],
    )


def test_no_hyperparameter_matters_most_where_none_has_a_clear_gain(coarse):
    by_chance = (0.03, -0.02, 0.02, -0.01, 0)
    noise = [
        result({"maxDepth": depth, "maxIter": 20 * depth + trees}, 0.8, [sign * one for one in by_chance])
        for depth, trees, sign in ((1, 0, 1), (1, 20, -1), (2, 0, 0.5), (2, -20, 0))
    ]
    title = by_name(search_charts(parse_candidates(text(noise))))["effects"].title
    assert title == "Effect of each hyperparameter on f1: none is clear"
    assert by_name(search_charts(coarse))["effects"].title.endswith(": maxDepth matters most")


@pytest.fixture(scope="module")
def genetic():
    draw = np.random.default_rng(3)
    results = [
        result(
            {"learning_rate": float(rate), "max_depth": int(depth)},
            0.8 - float(rate) / 10,
            seconds=float(seconds),
        )
        for rate, depth, seconds in zip(
            draw.uniform(0.01, 0.5, 24), draw.integers(2, 12, 24), draw.uniform(1, 50, 24), strict=True
        )
    ]
    drawn = {one.name: [number // 8] for number, one in enumerate(results)}
    drawn[results[0].name] = [0, 1, 1]
    return parse_candidates(text(results, generations=drawn))


def test_grid_search_has_its_pictures(coarse):
    assert names(search_charts(coarse)) == GRID


def test_genetic_search_also_shows_its_generations(genetic):
    assert names(search_charts(genetic)) == [*GRID, "generations", "drawn"]


def test_every_candidate_is_a_point_of_every_effect(coarse):
    effects = by_name(search_charts(coarse))["effects"]
    assert [panel.x for panel in effects.panels] == ["maxDepth", "impurity", "regParam"]
    for panel in effects.panels:
        dots, line, best = panel.layers
        assert sorted(dots.y) == sorted(coarse.means)
        assert len(line.x) == len(panel.x_ticks)
        assert best.y[0] == max(coarse.means)
    assert effects.panels[0].x_ticks == ["1", "3", "5"]


def test_line_holds_others_equal_only_where_the_candidates_tell_effects_apart(coarse):
    drawn = [(1, 1, 1), (2, 2, 2), (3, 3, 1), (1, 1, 2), (2, 2, 1)]
    results = [result({"a": a, "b": b, "c": c}, 0.8 + 0.02 * a * a + 0.01 * c) for a, b, c in drawn]
    mixed = parse_candidates(text(results))
    chart = by_name(search_charts(mixed))["effects"]
    for panel in chart.panels:
        line = panel.layers[1]
        plain = mixed.means[(mixed.parameters[panel.x] == 1).to_numpy()].mean()
        assert (line.y[0] == pytest.approx(plain)) == (panel.x != "c")
    assert "held equal (not for a, b: too few candidates tell them apart); bars" in chart.note
    assert "Percentage" not in chart.note
    assert chart.title.endswith("too few candidates to tell all apart")
    chart = by_name(search_charts(coarse))["effects"]
    assert "a value, the other parameters held equal; bars" in chart.note
    assert "Percentage" in chart.note
    together = [result({"a": n, "b": n}, 0.8 + n) for n in (1, 2)]
    chart = by_name(search_charts(parse_candidates(text(together))))["effects"]
    assert "at a value, too few to hold the other parameters equal; bars" in chart.note


def test_parts_of_a_range_are_told_where_the_values_are_many(coarse, genetic):
    of_grid = grid(lambda maxDepth: 0.8 + maxDepth / 100, maxDepth=list(range(1, 9)))
    for candidates, many in ((coarse, False), (genetic, True), (of_grid, True)):
        assert ("part of the range" in by_name(search_charts(candidates))["effects"].note) == many


def test_axis_of_whole_numbers_has_no_others():
    """Depths were told at 4.5 and 7.5."""
    draws = [{"maxDepth": depth, "stepSize": depth / 16} for depth in range(1, 9)]
    chart = by_name(search_charts(parse_candidates(text([result(one, 0.8) for one in draws]))))["effects"]
    whole = {panel.x: (len(panel.x_ticks), panel.whole_x) for panel in chart.panels}
    assert whole == {"maxDepth": (0, True), "stepSize": (0, False)}


def test_candidate_that_was_drawn_again_is_shown_again(genetic):
    drawn = by_name(search_charts(genetic))["drawn"]
    points = drawn.panels[0].layers[0]
    assert np.round(points.x).astype(int).tolist() == [0] * 8 + [1] * 10 + [2] * 8


def test_generations_show_their_best_and_mean(genetic):
    scores = by_name(search_charts(genetic))["generations"].panels[0].layers
    assert isinstance(scores[0], Points)
    so_far, best, mean = (np.asarray(line.y) for line in scores[1:])
    assert (so_far == np.maximum.accumulate(best)).all()
    assert (mean <= best).all()


def drawn_by(space, raced=""):
    """The texts of candidates.csv and generations.csv of a genetic search, perhaps one of a race."""
    search = GeneticSearch(space, "f1", Breeding(8, generations=3), seed=1)
    while search.goes_on():
        generation = search.ask()
        search.tell(
            generation, {candidate_name(c): result(c, c["maxDepth"] / 99) for c in generation.new}
        )
    named = {"learner": raced} if raced else {}
    results = [replace(one, parameters={**named, **one.parameters}) for one in search.known.values()]
    drawn = {candidate_name({**named, **one.parameters}): search.generations[name]
             for name, one in search.known.items()}  # fmt: skip
    return text(results, generations=drawn), search.table().assign(**named)


@pytest.mark.parametrize("raced", ["", "gbt"])
def test_diversity_is_that_of_the_generations_table(raced):
    space = make_space({"maxDepth": {"low": 1, "high": 20}, "maxIter": {"low": 1, "high": 99}}, GBT)
    candidates, table = drawn_by(space, raced)
    other = table.assign(diversity=9.0, **({"learner": "xgboost"} if raced else {}))
    both = pd.concat([other, table]) if raced else table
    read = parse_candidates(candidates, generations=both.to_csv(index=False))
    chart = by_name(search_charts(read))["generations"]
    panel = chart.panels[1]
    assert (panel.title, panel.layers[0].x) == ("Diversity", [0, 1, 2])
    assert panel.layers[0].y == table["diversity"].tolist()
    assert "Diversity: " in chart.note


def test_what_candidates_alone_tell_is_not_called_diversity(genetic):
    chart = by_name(search_charts(genetic))["generations"]
    assert (chart.panels[1].title, chart.panels[1].y) == ("Spread", "share of the range tried")
    assert "Diversity" not in chart.note


@pytest.mark.parametrize(
    ("drawn", "title"),
    [
        ({0: [1, 2]}, "One generation alone: its best has 0.9000, and its mean is 0.8500"),
        (
            {0: [1], 1: [2]},
            "The best was found in generation 1 (of 0 to 1); the mean went from 0.8000 to 0.9000",
        ),
        (
            {0: [1], 2: [1]},
            "The best was found in generation 0 (of 0 to 2); the mean is 0.8000 in the first and in the "
            "last",
        ),
    ],
)
def test_mean_of_the_generations_goes_nowhere_where_it_stays(drawn, title):
    """A race's winner has often one generation: `the mean went from 1.2818 to 1.2818`."""
    depths = sorted({depth for listed in drawn.values() for depth in listed})
    results = [result({"maxDepth": depth}, 0.7 + depth / 10) for depth in depths]
    listed = {
        one.name: [n for n, depths in drawn.items() if one.parameters["maxDepth"] in depths]
        for one in results
    }
    chart = by_name(search_charts(parse_candidates(text(results, generations=listed))))["generations"]
    assert chart.title == title


def test_pareto_front_has_no_candidate_that_another_beats(genetic):
    _, front, *_ = by_name(search_charts(genetic))["time"].panels[0].layers
    for seconds, score in zip(front.x, front.y, strict=True):
        quicker = genetic.seconds < seconds
        assert not (genetic.means[quicker] >= score).any()
    assert max(genetic.means) in front.y


@pytest.mark.parametrize(("metric", "place"), [("f1", "lower right"), ("rmse", "upper right")])
def test_legend_is_not_where_the_better_candidates_are(metric, place):
    """The best by an error are at the bottom, where the legend hid them."""
    results = [result({"maxDepth": depth}, 0.8 + depth / 100) for depth in (3, 5)]
    drawn = {one.name: [0] for one in results}
    charts = by_name(search_charts(parse_candidates(text(results, metric, generations=drawn))))
    assert [charts[name].panels[0].legend for name in ("time", "generations")] == [place, place]


def test_time_is_said_to_be_the_sum_over_the_folds():
    results = [result({"maxDepth": n}, 0.8, seconds=t) for n, t in ((3, 1234.5), (5, 1300.0))]
    chart = by_name(search_charts(parse_candidates(text(results))))["time"]
    assert chart.title == "The best candidate's fits on 5 folds took 1,234 s in total"
    assert chart.panels[0].x == "fit time, sum over the 5 folds, s"
    results[1] = result({"maxDepth": 5}, 0.8, seconds=76.34)
    chart = by_name(search_charts(parse_candidates(text(results))))["time"]
    assert chart.title.endswith("; those of one that is not significantly worse, 76.3 s")


def test_lines_are_coloured_by_score(coarse):
    parallel = by_name(search_charts(coarse))["parallel"].panels
    assert isinstance(parallel, Parallel)
    assert parallel.score.tolist() == coarse.means.tolist()
    assert not parallel.reverse


@pytest.mark.parametrize(("metric", "worst", "best"), [("f1", 0, -1), ("log_loss", -1, 0)])
def test_end_of_the_score_axis_says_that_worse_scores_end_there(metric, worst, best):
    """A candidate of rmse 2.09 ended at 1.87, the highest number of the axis."""
    tried = grid(lambda a: 0.5 + 0.01 * a, metric, a=list(range(1, 9)))
    chart = by_name(search_charts(tried))["parallel"].panels
    texts = _score_ticks(chart)
    assert texts[worst].endswith("or worse")
    assert not any("worse" in one for place, one in enumerate(texts) if place != worst % 5)
    assert float(texts[best]) == pytest.approx(tried.means[0], abs=1e-4)
    alike = replace(chart, score=np.full(8, chart.range[0]))
    assert not any("worse" in one for one in _score_ticks(alike))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([result({"maxDepth": 3}, 0.8)], []),
        ([result({"maxDepth": d}, 0.8) for d in (3, 5)], ["effects", "parallel", "importance", "time"]),
        ([result({"a": n, "b": n}, 0.8 + n) for n in (1, 2)], ["effects", "parallel", "time"]),
    ],
)
def test_what_has_nothing_to_show_is_left_out(results, expected):
    charts = search_charts(parse_candidates(text(results)))
    assert names(charts) == expected
    assert len(stills(charts)) == len(expected)


def test_candidates_that_all_score_alike_are_said_to():
    charts = search_charts(parse_candidates(text([result({"maxDepth": d}, 1.0) for d in (3, 5, 7)])))
    assert by_name(charts)["importance"].title == "All candidates score alike"
    assert by_name(charts)["parallel"].title == "All candidates score alike"
    assert len(stills(charts)) == len(charts)
    some = [result({"maxDepth": depth}, score) for depth, score in ((3, 1.0), (5, 1.0), (7, 0.9))]
    parallel = by_name(search_charts(parse_candidates(text(some))))["parallel"]
    assert parallel.title == "All candidates; the best 2 score alike"


@pytest.mark.parametrize(
    ("score", "title"),
    [
        (lambda a, b, c: a / 2 + 0.4 * b * c + 0.02 * b, "a 1 with b 1 is best on average, 0.7200"),
        (lambda a, b, c: a / 2 + 0.4 * b * c, "a 1 with b 1 and 1 other are best on average, 0.7000"),
        (lambda a, b, c: 0.9 * a * b, "a 1 with b 1 is best on average, 0.9000"),
        (lambda a, b, c: 0.9, "all score alike on average, 0.9000"),
    ],
)
def test_best_of_the_pairs_is_that_of_all_panels_and_said_not_to_be_alone(score, title):
    """It was that of the first panel, and of equal ones the first."""
    chart = by_name(search_charts(grid(score, noise=0, a=[0, 1], b=[0, 1], c=[0, 1])))["pairs"]
    assert chart.title == f"Pairs of hyperparameters: {title}"


def test_importance_has_no_errors_where_they_are_not_known(coarse):
    """Of a genetic search's candidates it showed errors of 0, and called them those over the folds."""
    tried = parse_candidates(text([result({"a": a, "b": b}, 0.8 + a / 99) for a, b in SOME]))
    whole, part = (by_name(search_charts(one))["importance"] for one in (coarse, tried))
    assert "one standard error over the folds" in whole.note
    assert whole.panels[0].layers[0].high is not None
    assert "standard error" not in part.note
    assert "no whole grid" in part.note
    assert part.panels[0].layers[0].low is part.panels[0].layers[0].high is None
    assert len(stills([part])) == 1


def test_shares_that_overlap_are_not_called_what_nothing_else_explains():
    """Those of three candidates were 83% and 66%, and 0% was explained by several."""
    scores = {(2, 5): 0.8, (3, 5): 0.9, (3, 10): 0.81}
    results = [result({"maxDepth": a, "maxIter": b}, score) for (a, b), score in scores.items()]
    tried = parse_candidates(text(results))
    note = by_name(search_charts(tried))["importance"].note
    assert "add up to more than 100%" in note
    assert "by several" not in note
    said = markdown(find(tried, GBT.parameters), "gbt")
    assert "is what is lost without the parameter: more than 100% in all" in said
    assert "by several" not in said


def test_pictures_of_a_race_say_whose_candidates_they_show():
    results = [result({"learner": "gbt", "maxDepth": depth}, 0.8) for depth in (3, 5)]
    results.append(result({"learner": "random_forest", "maxDepth": 3}, 0.5))
    charts = by_name(search_charts(parse_candidates(text(results))))
    assert charts["importance"].title == "All candidates of gbt score alike"
    assert charts["parallel"].title == "All candidates of gbt score alike"
    assert charts["effects"].title.startswith("Effect of each hyperparameter of gbt on f1")


@pytest.mark.parametrize(
    ("drawn", "title"),
    [
        (
            {0: [1, 5], 1: [2, 4], 2: [3, 4]},
            "maxDepth narrowed most: 1 to 5 in generation 0, 3 to 4 in 2",
        ),
        ({1: [1, 5], 3: [3, 4]}, "maxDepth narrowed most: 1 to 5 in generation 1, 3 to 4 in 3"),
        ({0: [1, 5], 1: [3]}, "maxDepth narrowed most: 1 to 5 in generation 0, 3 alone in 1"),
        ({0: [1, 5]}, "Candidates drawn by each generation"),
        ({0: [2, 3], 1: [1, 5]}, "Candidates drawn by each generation"),
        ({0: [1, 5], 1: [1, 5]}, "Candidates drawn by each generation"),
    ],
)
def test_narrowing_is_told_where_there_was_some(drawn, title):
    results = [result({"maxDepth": depth}, 0.8 + depth / 100) for depth in range(1, 6)]
    by_result = {
        one.name: [number for number, depths in drawn.items() if one.parameters["maxDepth"] in depths]
        for one in results
    }
    used = [one for one in results if by_result[one.name]]
    charts = search_charts(parse_candidates(text(used, generations=by_result)))
    assert by_name(charts)["drawn"].title == title


@pytest.mark.parametrize(
    ("whole", "course", "narrowing"),
    [
        ([0], "the mean of the only whole one, 0, is 0.8300", "Candidates drawn by each generation"),
        (
            [0, 1],
            "the mean went from 0.8300 to 0.8350 in 1, the last whole one",
            "maxDepth narrowed most: 1 to 5 in generation 0, 3 to 4 in 1",
        ),
    ],
)
def test_generation_in_which_the_time_ended_has_no_mean_and_no_range(whole, course, narrowing):
    """Its one candidate of four was a range from 3 to 3, and its score the mean that was reached."""
    drawn = {0: [1, 5], 1: [3, 4], 2: [3]}
    drawn = {number: drawn[number] for number in [*whole, len(whole)]}
    depths = {depth for listed in drawn.values() for depth in listed}
    results = [result({"maxDepth": depth}, 0.8 + depth / 100) for depth in sorted(depths)]
    listed = {
        one.name: [n for n, depths in drawn.items() if one.parameters["maxDepth"] in depths]
        for one in results
    }
    table = pd.DataFrame({"generation": whole, "diversity": 0.5}).to_csv(index=False)
    charts = by_name(search_charts(parse_candidates(text(results, generations=listed), "", table)))
    assert charts["generations"].title.endswith(course)
    *_, mean = charts["generations"].panels[0].layers
    assert list(mean.x) == whole
    assert charts["drawn"].title == narrowing


def test_learner_that_never_had_a_turn_has_no_generations():
    results = [result({"maxDepth": depth}, 0.8) for depth in (3, 5)]
    charts = search_charts(parse_candidates(text(results, generations={"another": [0]})))
    assert not {"generations", "drawn"} & {*names(charts)}


def test_failed_candidates_are_in_no_picture():
    failures = [CandidateFailure({"maxDepth": 30}, "out of memory")]
    results = [result({"maxDepth": depth}, 0.8) for depth in (3, 5)]
    charts = search_charts(parse_candidates(text(results, failures=failures)))
    assert by_name(charts)["effects"].panels[0].x_ticks == ["3", "5"]


def test_stills_are_pngs_and_the_same_each_time(genetic):
    charts = search_charts(genetic)
    files = stills(charts)
    assert list(files) == [f"{chart.name}.png" for chart in charts]
    for content in files.values():
        picture = Image.open(io.BytesIO(content))
        assert picture.size[0] == 1100
        assert len(picture.convert("RGB").getcolors(2**24)) > 10
    assert stills(charts) == files


def test_page_holds_every_picture_and_its_library_once(coarse):
    charts = search_charts(coarse)
    shown = page("Search <b>", charts)
    assert [f'id="plot-{chart.name}"' in shown for chart in charts] == [True] * len(charts)
    assert shown.count("plotly.js v") == 1
    assert not re.search(r"<(script|link)[^>]*(src|href)=", shown)
    assert "<title>Search &lt;b&gt;</title>" in shown
    assert page("Search <b>", charts) == shown


def test_errors_in_the_numbers_unit_have_no_more_digits_than_they_need():
    found = grid(
        lambda maxDepth, maxBins: 54321.9 + 100 * maxDepth - maxBins,
        "rmse",
        maxDepth=[3, 5, 7],
        maxBins=[8, 16],
    )
    charts = by_name(search_charts(found))
    assert "is best on average, 54,6" in charts["pairs"].title
    cells = charts["pairs"].panels[0].layers[0]
    assert all(re.fullmatch(r"5\d,\d{3}", text) for row in cells.texts for text in row)
    assert charts["effects"].panels[0].layers[0].hover[0].endswith(f"rmse {found.means[0]:,.0f}")
    assert len(stills(list(charts.values()))) == len(charts)
