"""The charts of a genetic search: scores, diversity and the values drawn by each generation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from common.learning.metrics import shown_score
from common.plots.chart import BLUE, GREEN, ORANGE, RED, Chart, Layer, Line, Panel, Points
from common.plots.shown import WORST_PERCENT, aside, beside, colour_range, hover, places
from common.search.findings.candidates import Candidates
from common.search.findings.effects import is_logarithmic, show
from common.search.space import diversity


def generations_chart(candidates: Candidates) -> Chart:
    """Return a chart of the best score, the mean score and the diversity by generation.

    Without the diversity in the search space it shows the spread in the range tried.
    """
    rows = _drawn_rows(candidates)
    means, better = candidates.means, np.max if candidates.sign > 0 else np.min
    numbers = [number for number, drawn in enumerate(rows) if drawn]
    best = [float(better(means[rows[number]])) for number in numbers]
    so_far = (np.maximum if candidates.sign > 0 else np.minimum).accumulate(best)
    whole = _whole(candidates, rows)
    mean = [float(means[rows[number]].mean()) for number in whole]
    x, row = np.array([(n, r) for n in numbers for r in rows[n]]).T
    words = hover(candidates)
    scores: list[Layer] = [
        Points(x, means[row], [words[r] for r in row], "candidate"),
        Line(numbers, so_far, "best so far", ORANGE),
        Line(numbers, best, "best", GREEN, dots=True),
        Line(whole, mean, "mean", BLUE, dots=True),
    ]
    last = numbers[int(np.argmax(np.asarray(so_far) == so_far[-1]))]
    metric = candidates.metric
    name, of, shares = _apart(candidates, rows)
    ends, line = (
        (0, max(shares.values()) * 1.15 + 0.01),
        Line(list(shares), list(shares.values()), colour=RED, dots=True),
    )
    return Chart(
        "generations",
        _course(last, numbers, whole, [shown_score(metric, one) for one in (best[0], mean[0], mean[-1])]),
        f"{name}: mean distance between two candidates of a generation, as a share of the {of}; "
        "0: all are equal. A small value means that the search has converged.",
        [
            Panel("Score", "generation", metric, scores, whole_x=True, legend=aside(candidates)),
            Panel(name, "generation", f"share of the {of}", [line], whole_x=True, y_range=ends),
        ],
        columns=2,
        height=3.6,
    )


def _course(last: int, numbers: Sequence[int], whole: Sequence[int], texts: Sequence[str]) -> str:
    """Say how a search went: texts are the first generation's best and mean, and the last whole one's."""
    best, start, end = texts
    if len(numbers) == 1:
        return f"One generation alone: its best has {best}, and its mean is {start}"
    went = f"went from {start} to {end}" if start != end else f"is {end} in the first and in the last"
    if whole[-1] != numbers[-1]:
        went += f" that is whole, {whole[-1]}" if start == end else f" in {whole[-1]}, the last whole one"
    went = f"of the only whole one, {whole[0]}, is {start}" if len(whole) == 1 else went
    return f"The best was found in generation {last} (of {numbers[0]} to {numbers[-1]}); the mean {went}"


def _whole(candidates: Candidates, rows: Sequence[Sequence[int]]) -> list[int]:
    """Return the generations of which all candidates were scored, as far as is known.

    That in which the time ended has some of them alone: its mean and its range are those of chance.
    """
    numbers = [number for number, drawn in enumerate(rows) if drawn]
    return [number for number in numbers if number in candidates.diversity] or numbers


def drawn_chart(candidates: Candidates) -> Chart:
    """Return a chart of the values drawn by each generation, with a panel per parameter."""
    rows, words = _drawn_rows(candidates), hover(candidates)
    x, row = np.array([(n, r) for n, drawn in enumerate(rows) for r in drawn]).T
    low, high = colour_range(candidates)
    shade = np.clip(candidates.means[row], low, high)
    shift = beside(len(row), 0.35)
    panels = []
    for name in candidates.varied:
        values = candidates.parameters[name]
        ticks: list[str] = []
        if pd.api.types.is_numeric_dtype(values):
            y = values.to_numpy(float)
        else:
            y, ticks = places(values)
        points = Points(
            *(x + shift, y[row], [words[r] for r in row]),
            shade=shade,
            size=6,
            reverse=candidates.sign < 0,
        )
        panels.append(Panel(name, "generation", name, [points], y_ticks=ticks, whole_x=True))
    return Chart(
        "drawn",
        _narrowing(candidates, rows),
        f"Dot: a candidate drawn by a generation; the yellower, the better its {candidates.metric} "
        f"(the worst {WORST_PERCENT}% have the same colour).",
        panels,
        columns=3 if len(panels) not in (2, 4) else 2,
        height=2.5,
    )


def _apart(candidates: Candidates, rows: Sequence[Sequence[int]]) -> tuple[str, str, dict[int, float]]:
    """Return how far apart the candidates of each generation are: its name, the range, the values.

    The ranges that were drawn from are wider than those tried, which are all that candidates tell.
    """
    if candidates.diversity:
        return "Diversity", "space's range", dict(candidates.diversity)
    space = {name: _tried(candidates.parameters[name]) for name in candidates.varied}
    varied = [{name: one[name] for name in space} for one in candidates.parameters.to_dict("records")]
    spread = {
        number: diversity([varied[row] for row in drawn], space)
        for number, drawn in enumerate(rows)
        if drawn
    }
    return "Spread", "range tried", spread


def _drawn_rows(candidates: Candidates) -> list[list[int]]:
    """Return the rows of each generation's candidates, one for each draw."""
    count = 1 + max(number for listed in candidates.generations for number in listed)
    rows: list[list[int]] = [[] for _ in range(count)]
    for row, listed in enumerate(candidates.generations):
        for number in listed:
            rows[number].append(row)
    return rows


def _tried(values: pd.Series) -> BaseDistribution:
    if not pd.api.types.is_numeric_dtype(values):
        return CategoricalDistribution(sorted(values.unique()))
    kind = IntDistribution if pd.api.types.is_integer_dtype(values) else FloatDistribution
    return kind(values.min(), values.max(), log=is_logarithmic(values))


def _narrowing(candidates: Candidates, rows: Sequence[Sequence[int]]) -> str:
    """Name the parameter whose range shrank most from the first generation to the last, if one did."""
    numbers = _whole(candidates, rows)
    first, last = rows[numbers[0]], rows[numbers[-1]]
    found = []
    for name in candidates.varied:
        values = candidates.parameters[name]
        if pd.api.types.is_numeric_dtype(values):
            (low, high), (least, most) = ((values[r].min(), values[r].max()) for r in (first, last))
            if high - low > most - least:
                found.append(((most - least) / (high - low), name, low, high, least, most))
    if not found:
        return "Candidates drawn by each generation"
    _, name, *ends = min(found)
    low, high, least, most = map(show, ends)
    start, end = numbers[0], numbers[-1]
    # Values that differ may have the same three digits.
    one = f"{least} alone" if ends[2] == ends[3] else f"about {least}"
    left = one if least == most else f"{least} to {most}"
    return f"{name} narrowed most: {low} to {high} in generation {start}, {left} in {end}"
