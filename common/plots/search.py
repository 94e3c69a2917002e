"""The charts of a search, made from its candidates alone."""

import numpy as np
import pandas as pd

from common.data.shares import percent
from common.plots.chart import (
    BLUE,
    GREEN,
    ORANGE,
    Axis,
    Bars,
    Chart,
    Layer,
    Line,
    Panel,
    Parallel,
    Points,
)
from common.plots.generations import drawn_chart, generations_chart
from common.plots.pairs import LEAST_SHARE, pairs_chart, pairs_that_matter
from common.plots.shown import WORST_PERCENT, aside, beside, colour_range, hover, is_few, places
from common.search.findings.candidates import Candidates
from common.search.findings.effects import Effect, Effects, find_effects, is_logarithmic, show

# Factor by which a logarithmic axis extends beyond the values at each end.
LOG_MARGIN = 1.2
SHARES = " Percentage: share of the scores' variance explained by the parameter."
# A title has no room for more parameters than this.
MOST_NAMED = 5


def search_charts(candidates: Candidates) -> list[Chart]:
    """Return all charts of a search; those with nothing to show are left out.

    Args:
        candidates: The candidates, at least one.
    """
    charts = []
    if candidates.varied:
        found = find_effects(candidates)
        charts = [_effects(candidates, found), _parallel(candidates)]
        if found.apart:
            charts.append(_importance(candidates, found))
            pairs = pairs_that_matter(found)
            charts += [pairs_chart(candidates, pairs)] if pairs else []
    if len(candidates.means) > 1:
        charts.append(_time(candidates))
    if candidates.generations:
        charts.append(generations_chart(candidates))
        charts += [drawn_chart(candidates)] if candidates.varied else []
    return charts


def _effects(candidates: Candidates, found: Effects) -> Chart:
    panels = [_effect(candidates, effect, found.apart) for effect in found.effects]
    title = f"Effect of each hyperparameter{candidates.whose} on {candidates.metric}"
    if found.apart and len(panels) > 1:
        clear = [effect.parameter for effect in found.effects if effect.is_clear]
        title += f": {clear[0]} matters most" if clear else ": none is clear"
    elif not found.apart:
        title += ": too few candidates to tell all apart"
    parts = not all(is_few(candidates.parameters[name]) for name in candidates.varied)
    return Chart(
        "effects",
        title,
        f"Dot: a candidate's mean over the folds. Line: mean of the candidates at a value"
        f"{' or in a part of the range' * parts}{_held_equal(found)}; bars: one standard deviation over "
        "the folds, less what all values share. Star: the best candidate."
        f"{found.apart * SHARES}",
        panels,
        columns=min(4, max(2, len(panels))) if len(panels) != 5 else 3,
        share_y=True,
    )


def _held_equal(found: Effects) -> str:
    """Say of which parameters the lines show the effects alone."""
    together = [effect.parameter for effect in found.effects if not effect.apart]
    if not together:
        return ", the other parameters held equal"
    if len(together) == len(found.effects):
        return ", too few to hold the other parameters equal"
    named = ", ".join(together[:MOST_NAMED]) + " and others" * (len(together) > MOST_NAMED)
    return f", the other parameters held equal (not for {named}: too few candidates tell them apart)"


def _effect(candidates: Candidates, effect: Effect, apart: bool) -> Panel:
    values, words = candidates.parameters[effect.parameter], hover(candidates)
    ticks: list[str] = []
    if is_few(values):
        place, ticks = places(values)
        x, line = place + beside(len(values), 0.3), np.arange(len(ticks), dtype=float)
    else:
        x = values.to_numpy(float)
        line = np.array([np.median(x[level.members]) for level in effect.levels])
    means, (means_at, spread) = candidates.means, _means_at(candidates, effect)
    layers: list[Layer] = [
        Points(x, means, words),
        Line(line, means_at, dots=True, low=means_at - spread, high=means_at + spread),
        Points(x[:1], means[:1], words[:1], "best", ORANGE, 11, marker="star"),
    ]
    title = f"{effect.parameter}: {percent(effect.share)}" if apart else effect.parameter
    log = not ticks and is_logarithmic(values)
    ends = (x.min() / LOG_MARGIN, x.max() * LOG_MARGIN) if log else None
    whole = pd.api.types.is_integer_dtype(values)
    axis = {"log_x": log, "whole_x": whole, "x_range": ends}
    return Panel(title, effect.parameter, candidates.metric, layers, ticks, **axis)


def _means_at(candidates: Candidates, effect: Effect) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the spread at each level; plain ones of an effect that is not told apart.

    Its own would share the credit with other parameters, and lie beside the candidates.
    """
    if effect.apart:
        return effect.means, effect.spreads
    plain = np.array([candidates.folds[level.members].mean(axis=0) for level in effect.levels])
    return plain.mean(axis=1), (plain - plain.mean(axis=0)).std(axis=1)


def _importance(candidates: Candidates, found: Effects) -> Chart:
    shown = [(effect.parameter, effect.share, effect.share_error, BLUE) for effect in found.effects]
    shown += [
        (f"{pair.first} with {pair.second}", pair.share, pair.share_error, GREEN)
        for pair in found.pairs[:5]
        if pair.share >= LEAST_SHARE
    ]
    labels, values, errors, colours = zip(*shown, strict=True)
    shares, error = 100 * np.array(values), 100 * np.nan_to_num(errors)
    texts = [percent(value, 1) for value in values]
    # Of candidates that are no whole grid the errors are not known: those of the folds alone are near 0.
    low, high = (shares - error, shares + error) if found.whole else (None, None)
    bars = Bars(labels, shares, texts, low, high, colours)
    title = (
        f"{labels[0]} explains {percent(values[0])} of the differences between candidates"
        f"{candidates.whose}"
        if found.differ
        else f"All candidates{candidates.whose} score alike"
    )
    more = " Lines: one standard error over the folds."
    if not found.whole:
        more = " The candidates are no whole grid: " + (
            "a share is what is lost without the hyperparameter, and parts take several, so that main "
            "effects add up to more than 100%."
            if found.unassigned < 0
            else f"{percent(found.unassigned)} of the variance is explained by several hyperparameters, "
            "or by none."
        )
    return Chart(
        "importance",
        title,
        "Analysis of variance. Blue: main effect of a hyperparameter. Green: interaction of two, beyond "
        f"their main effects (pairs below {LEAST_SHARE:.0%} are left out).{more}",
        [Panel("", f"share of the variance of {candidates.metric} over the candidates, %", "", [bars])],
        height=0.8 + 0.28 * len(labels),
    )


def _parallel(candidates: Candidates) -> Chart:
    axes = []
    for name in candidates.varied:
        values = candidates.parameters[name]
        if is_few(values):
            place, ticks = places(values)
            at = place + beside(len(values), 0.1)
            axes.append(Axis(name, at, {float(n): text for n, text in enumerate(ticks)}))
        else:
            axes.append(_number_axis(name, values))
    return Chart(
        "parallel",
        f"All candidates{candidates.whose}{_of_best(candidates)}",
        f"Each line is a candidate; its colour and its right end show its {candidates.metric}, the mean "
        f"over the folds (yellow is better; the worst {WORST_PERCENT}% have the same colour). Thick: the "
        "best. In the interactive version, drag along an axis to select lines.",
        Parallel(
            axes, candidates.means, candidates.metric, colour_range(candidates), candidates.sign < 0
        ),
        height=4.6,
    )


def _of_best(candidates: Candidates) -> str:
    """Return the end of a title: what the best candidate has, or how many are equally good."""
    equal = sum(lag.is_none for lag in candidates.behind)
    if equal == len(candidates.means) > 1:
        return " score alike"
    if equal > 1:
        return f"; the best {equal} score alike"
    best = ", ".join(f"{name} {show(candidates.best[name])}" for name in candidates.varied)
    return f"; the best has {best}" if len(candidates.varied) <= MOST_NAMED else ""


def _number_axis(name: str, values: pd.Series) -> Axis:
    numbers, log = values.to_numpy(float), is_logarithmic(values)
    ends = numbers.min(), numbers.max()
    ticks = np.geomspace(*ends, 5) if log else np.linspace(*ends, 5)
    if pd.api.types.is_integer_dtype(values):
        ticks = np.unique(ticks.round())
    texts = [show(float(tick)) for tick in ticks]
    if log:
        name, numbers, ticks = f"{name}\n(log)", np.log10(numbers), np.log10(ticks)
    return Axis(name, numbers, dict(zip(ticks.tolist(), texts, strict=True)))


def _time(candidates: Candidates) -> Chart:
    means, seconds, words = candidates.means, candidates.seconds, hover(candidates)
    by_time = sorted(range(len(means)), key=lambda n: (seconds[n], n))
    front: list[int] = []
    for number in by_time:
        if not front or candidates.sign * (means[number] - means[front[-1]]) > 0:
            front.append(number)
    alike = [number for number, behind in enumerate(candidates.behind) if not behind.clear]
    quick = min(alike, key=lambda n: (seconds[n], n))
    folds = candidates.folds.shape[1]
    title = f"The best candidate's fits on {folds} folds took {_seconds(seconds[0])} in total"
    if seconds[quick] < seconds[0]:
        title += f"; those of one that is not significantly worse, {_seconds(seconds[quick])}"
    layers: list[Layer] = [
        Points(seconds, means, words, "candidate"),
        Line(seconds[front], means[front], "Pareto front: none is both faster and better", dots=True),
        Points(seconds[:1], means[:1], words[:1], "best", ORANGE, 13, marker="star"),
    ]
    if seconds[quick] < seconds[0]:
        one = slice(quick, quick + 1)
        label = "fastest not significantly worse"
        layers.append(Points(seconds[one], means[one], words[one], label, GREEN, 8, marker="diamond"))
    log = bool(seconds.min() > 0 and seconds.max() >= 10 * seconds.min())
    axis = f"fit time, sum over the {folds} folds, s"
    ends = (seconds.min() / LOG_MARGIN, seconds.max() * LOG_MARGIN) if log else None
    return Chart(
        "time",
        title,
        "Time as logged in `fit_seconds`, a sum: the search itself took less where fits ran at the same "
        "time. It depends on the machine and on the fits beside it. "
        "Candidates that differ only in the number of trees share their fits and show the same time.",
        [Panel("", axis, candidates.metric, layers, log_x=log, x_range=ends, legend=aside(candidates))],
        height=4,
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:,.0f} s"
