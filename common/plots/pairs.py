"""Heat maps of pairs of hyperparameters."""

from collections.abc import Sequence

import numpy as np

from common.data.shares import percent
from common.learning.metrics import shown_score
from common.plots.chart import Cells, Chart, Panel
from common.search.findings.candidates import ROUNDING, Candidates
from common.search.findings.effects import Effects, Level, Pair, find_levels

# The number of pairs shown, and the smallest share of the variance for which a pair is shown.
MOST_PAIRS, LEAST_SHARE = 6, 0.01


def pairs_that_matter(found: Effects) -> list[Pair]:
    """Return the pairs with an interaction or two main effects; if there are none, the first pair."""
    alone = {effect.parameter: effect.share for effect in found.effects}
    weight = {p: p.share + min(alone[p.first], alone[p.second]) for p in found.pairs}
    heavy = [pair for pair in found.pairs if weight[pair] >= LEAST_SHARE] or list(found.pairs[:1])
    return sorted(heavy, key=lambda p: (-round(weight[p], 9), p.first, p.second))[:MOST_PAIRS]


def pairs_chart(candidates: Candidates, pairs: Sequence[Pair]) -> Chart:
    """Return a chart of the mean score of each combination of values, with a heat map per pair."""
    cells = [_cell_means(candidates, pair) for pair in pairs]
    everything = np.concatenate([values[np.isfinite(values)] for values in cells])
    span = float(everything.min()), float(everything.max())
    panels = []
    for pair, values in zip(pairs, cells, strict=True):
        up, along = (find_levels(candidates.parameters[name]) for name in (pair.first, pair.second))
        texts = [
            ["" if np.isnan(v) else shown_score(candidates.metric, v) for v in row] for row in values
        ]
        x_ticks, y_ticks = (_ticks(levels) for levels in (along, up))
        title = f"together: {percent(pair.share, 1)}"
        layer = Cells(values, texts, span, candidates.sign < 0)
        panels.append(Panel(title, pair.second, pair.first, [layer], x_ticks, y_ticks))
    metric = candidates.metric
    return Chart(
        "pairs",
        _best_cell(candidates, pairs, cells),
        f"Cell: mean {metric} of its candidates over the folds; empty: no candidates. Yellow is better. "
        "`together`: share of the variance that the pair explains beyond its two main effects.",
        panels,
        columns=min(3, len(panels)) if len(panels) != 4 else 2,
        height=2.7,
        colour_bar=True,
    )


def _best_cell(candidates: Candidates, pairs: Sequence[Pair], cells: Sequence[np.ndarray]) -> str:
    """Name the best cell of all pairs, with the number of others that are as good."""
    everything = np.concatenate([values.ravel() for values in cells])
    best = everything[np.nanargmax(candidates.sign * everything)]
    equal = [np.isclose(values, best, rtol=ROUNDING, atol=0) for values in cells]
    count, filled = (int(sum(map(np.sum, one))) for one in (equal, [np.isfinite(v) for v in cells]))
    score = shown_score(candidates.metric, best)
    if count == filled > 1:
        return f"Pairs of hyperparameters: all score alike on average, {score}"
    pair, places = next((p, np.argwhere(at)) for p, at in zip(pairs, equal, strict=True) if at.any())
    row, column = places[0]
    up, along = (find_levels(candidates.parameters[name]) for name in (pair.first, pair.second))
    place = f"{pair.first} {up[row].label} with {pair.second} {along[column].label}"
    others = f" and {count - 1} other{'s' * (count > 2)} are" if count > 1 else " is"
    return f"Pairs of hyperparameters: {place}{others} best on average, {score}"


def _ticks(levels: Sequence[Level]) -> list[str]:
    return [level.label.replace(" to ", "\nto ") for level in levels]


def _cell_means(candidates: Candidates, pair: Pair) -> np.ndarray:
    up, along = (find_levels(candidates.parameters[name]) for name in (pair.first, pair.second))
    values = np.full((len(up), len(along)), np.nan)
    for row, column in np.ndindex(values.shape):
        members = up[row].members & along[column].members
        if members.any():
            values[row, column] = candidates.means[members].mean()
    return values
