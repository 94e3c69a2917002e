"""Findings: which hyperparameters matter, which values can be dropped, and what to try next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import yaml

from common.learning.parameters import Choice, Range
from common.search.findings.candidates import Candidates, Difference
from common.search.findings.effects import Effect, Effects, find_effects
from common.search.findings.next_grid import edge_of, next_values, shrink
from common.search.result import candidate_name

# A parameter that explains a smaller share of the variance matters little.
LITTLE = 0.05
# An interaction with a smaller share is no reason to vary a parameter that has no effect by itself.
LITTLE_TOGETHER = 0.02


@dataclass(frozen=True)
class Finding:
    """The findings about one hyperparameter.

    Attributes:
        effect: The mean effect over the candidates.
        best: Index of the level with the best mean.
        worst: Index of the level with the worst mean.
        gain: Lead of the best level's mean over the worst's.
        shape: How scores change along the levels: rises, falls, peaks (between the ends) or neither.
        winner: Index of the best candidate's level.
        behind: For each level, by how much its best candidate is worse than the best of all.
        edge: The edge of the values tried on which the best candidate lies: lower, upper, or empty for
            none, and where candidates with other values are as good on every fold.
        next: Values to try next.
    """

    effect: Effect
    best: int
    worst: int
    gain: Difference
    shape: str
    winner: int
    behind: Sequence[Difference]
    edge: str
    next: Sequence[object]

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.effect.parameter

    @property
    def dropped(self) -> list[str]:
        """Labels of the levels whose best candidate is clearly worse than the best of all."""
        pairs = zip(self.effect.levels, self.behind, strict=True)
        return [level.label for level, behind in pairs if behind.clear]

    @property
    def little(self) -> bool:
        """Whether the parameter explains little of the variance."""
        return self.effect.share < LITTLE


@dataclass(frozen=True)
class Findings:
    """The findings of a search, from candidates.csv and the values that the learner permits.

    Attributes:
        candidates: All candidates.
        error: Standard error over the folds of the best candidate's score.
        alike: Number of other candidates that are not clearly worse than the best.
        effects: Effects of all parameters that vary; None if none does.
        parameters: Findings by parameter, most important first.
        grid: The grid to try next; it contains the best candidate.
    """

    candidates: Candidates
    error: float
    alike: int
    effects: Effects | None
    parameters: Sequence[Finding]
    grid: Mapping[str, Sequence[object]]

    @property
    def apart(self) -> bool:
        """Whether the parameters' effects can be separated."""
        return self.effects is not None and self.effects.apart

    @property
    def adds(self) -> bool:
        """Whether the grid has a candidate that was not scored."""
        combinations = (
            dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())
        )
        return any(candidate_name(one) not in self.candidates.names for one in combinations)


def find(candidates: Candidates, kinds: Mapping[str, Range | Choice]) -> Findings:
    """Analyse a search: effects with their uncertainty over folds, values to drop, and the next grid.

    Args:
        candidates: The search's candidates, at least one.
        kinds: The values that the learner permits, by parameter.
    """
    effects = find_effects(candidates) if candidates.varied else None
    found = (
        [_finding(candidates, effects, effect, kinds) for effect in effects.effects] if effects else []
    )
    values = {finding.name: list(finding.next) for finding in found}
    grid = {name: values.get(name, [value]) for name, value in candidates.best.items()}
    order = [name for name in candidates.best if name not in values]
    order += [finding.name for finding in reversed(found)]
    return Findings(
        candidates,
        float(candidates.folds[0].std(ddof=1) / np.sqrt(candidates.folds.shape[1])),
        sum(not behind.clear for behind in candidates.behind[1:]),
        effects,
        found,
        {name: sorted(values) for name, values in shrink(grid, order).items()},
    )


def grid_yaml(found: Findings) -> str:
    """Return the next grid as the text of a YAML file for `grid=`."""
    count = int(np.prod([len(values) for values in found.grid.values()]))
    head = f"# {count} candidate{'s' * (count != 1)} around the best of {len(found.candidates.means)}\n"
    content = {name: list(values) for name, values in found.grid.items()}
    return head + yaml.safe_dump(content, default_flow_style=None, sort_keys=False, width=100)


def _finding(
    candidates: Candidates, effects: Effects, effect: Effect, kinds: Mapping[str, Range | Choice]
) -> Finding:
    scores = candidates.sign * effect.means
    best, worst = int(np.argmax(scores)), int(np.argmin(scores))
    gain = effect.gain(best, worst) if candidates.sign > 0 else effect.gain(worst, best)
    winner = next(number for number, level in enumerate(effect.levels) if level.members[0])
    behind = [candidates.behind[int(np.argmax(level.members))] for level in effect.levels]
    together = max(
        (pair.share for pair in effects.pairs if effect.parameter in (pair.first, pair.second)), default=0
    )
    # A value with which candidates fail is an end of what can be tried, and not to be proposed again.
    values, kind = candidates.tried(effect.parameter), kinds[effect.parameter]
    best_value = candidates.best[effect.parameter]
    matters = gain.clear or max(effect.share - LITTLE, together - LITTLE_TOGETHER) >= 0
    steps = (1 if effect.share < LITTLE else 2) if matters else 0
    lags = list(zip(effect.levels, behind, strict=True))
    kept = [level.low for level, lag in lags if not lag.clear]
    worse = [(level.low, level.high) for level, lag in lags if lag.clear]
    equal = [number for number, lag in enumerate(candidates.behind) if lag.is_none]
    # Of equal candidates the best is the first by name, which says nothing of an edge.
    alike = candidates.parameters[effect.parameter].iloc[equal].nunique() > 1
    return Finding(
        effect,
        best,
        worst,
        gain,
        _shape(scores, effect.ordered),
        winner,
        behind,
        "" if alike else edge_of(values, best_value, kind),
        next_values(values, best_value, kind, kept, steps, worse),
    )


def _shape(scores: np.ndarray, ordered: bool) -> str:
    if not ordered:
        return "neither"
    steps = np.diff(scores)
    if (steps > 0).all():
        return "rises"
    if (steps < 0).all():
        return "falls"
    top = int(np.argmax(scores))
    inside = 0 < top < len(scores) - 1
    return "peaks" if inside and (steps[:top] > 0).all() and (steps[top:] < 0).all() else "neither"
