"""How a genetic search went: scores, diversity, and what each generation drew."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from common.plots.chart import BLUE, GREEN, ORANGE, RED, Chart, Layer, Line, Panel, Points
from common.plots.shown import WORST_PERCENT, beside, colour_range, hover, places
from common.search.findings.candidates import Candidates
from common.search.findings.effects import is_logarithmic, show
from common.search.space import diversity


def generations_chart(candidates: Candidates) -> Chart:
    """Return best, mean and diversity by generation."""
    rows = _drawn_rows(candidates)
    means, better = candidates.means, np.max if candidates.sign > 0 else np.min
    numbers = [number for number, drawn in enumerate(rows) if drawn]
    best = [float(better(means[rows[number]])) for number in numbers]
    so_far = (np.maximum if candidates.sign > 0 else np.minimum).accumulate(best)
    mean = [float(means[rows[number]].mean()) for number in numbers]
    space = {name: _tried(candidates.parameters[name]) for name in candidates.varied}
    records = candidates.parameters.to_dict("records")
    varied = [{name: record[name] for name in space} for record in records]
    spread = [diversity([varied[row] for row in rows[number]], space) for number in numbers]
    x, row = np.array([(n, r) for n in numbers for r in rows[n]]).T
    words = hover(candidates)
    scores: list[Layer] = [
        Points(x, means[row], [words[r] for r in row], "candidate"),
        Line(numbers, so_far, "best so far", ORANGE),
        Line(numbers, best, "best", GREEN, dots=True),
        Line(numbers, mean, "mean", BLUE, dots=True),
    ]
    last = numbers[int(np.argmax(np.asarray(so_far) == so_far[-1]))]
    metric = candidates.metric
    return Chart(
        "generations",
        f"The best came in generation {last} of {numbers[-1]}; the mean went from {mean[0]:.4f} to "
        f"{mean[-1]:.4f}",
        "Diversity: mean distance between two candidates of a generation, as part of the range that was "
        "tried; 0: all are the same. When it is small the search has settled.",
        [
            Panel("Score", "generation", metric, scores, whole_x=True, legend="lower right"),
            Panel(
                *("Diversity", "generation", "part of the range tried"),
                [Line(numbers, spread, colour=RED, dots=True)],
                whole_x=True,
                y_range=(0, max(spread) * 1.15 + 0.01),
            ),
        ],
        columns=2,
        height=3.6,
    )


def drawn_chart(candidates: Candidates) -> Chart:
    """Return where the candidates of each generation lay, a panel a parameter."""
    rows, words = _drawn_rows(candidates), hover(candidates)
    x, row = np.array([(n, r) for n, drawn in enumerate(rows) for r in drawn]).T
    low, high = colour_range(candidates)
    shade = np.clip(candidates.means[row], low, high)
    aside = beside(len(row), 0.35)
    panels = []
    for name in candidates.varied:
        values = candidates.parameters[name]
        ticks: list[str] = []
        if pd.api.types.is_numeric_dtype(values):
            y = values.to_numpy(float)
        else:
            y, ticks = places(values)
        points = Points(
            *(x + aside, y[row], [words[r] for r in row]),
            shade=shade,
            size=6,
            reverse=candidates.sign < 0,
        )
        panels.append(Panel(name, "generation", name, [points], y_ticks=ticks, whole_x=True))
    return Chart(
        "drawn",
        _narrowing(candidates, rows),
        f"A dot is a candidate that a generation drew; the yellower, the better its {candidates.metric} "
        f"(the worst {WORST_PERCENT}% are coloured alike).",
        panels,
        columns=3 if len(panels) not in (2, 4) else 2,
        height=2.5,
    )


def _drawn_rows(candidates: Candidates) -> list[list[int]]:
    """Return for each generation its candidates' rows, one a draw."""
    count = 1 + max(max(listed) for listed in candidates.generations)
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
    """Say which parameter the last generation draws from the smallest part of what the first did."""
    first, last = rows[0], rows[-1]
    found = []
    for name in candidates.varied:
        values = candidates.parameters[name]
        if pd.api.types.is_numeric_dtype(values):
            (low, high), (least, most) = ((values[r].min(), values[r].max()) for r in (first, last))
            if high > low:
                found.append(((most - least) / (high - low), name, low, high, least, most))
    if not found:
        return "Where the candidates of each generation lay"
    _, name, *ends = min(found)
    low, high, least, most = map(show, ends)
    return f"{name} narrowed most: {low} to {high} in the first generation, {least} to {most} in the last"
