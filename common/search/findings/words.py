"""Findings as text, in Markdown."""

import shlex
from collections.abc import Sequence
from math import isfinite, isnan

from common.data.shares import percent
from common.learning.metrics import DEFAULT_METRIC, OF_PROBABILITY, shown_score
from common.learning.number_metrics import NUMBER_METRICS
from common.learning.parameters import Parameters
from common.search.findings.candidates import Candidates, Difference
from common.search.findings.effects import show
from common.search.findings.find import LITTLE_TOGETHER, Finding, Findings, grid_yaml

SHAPES = {"rises": "higher values are better", "falls": "lower values are better"}
MOST_FAILED, MOST_PAIRS, MOST_WEIGHTS = 5, 3, 2


def markdown(
    found: Findings, learner: str, next_grid: str = "next_grid.yaml", settings: Sequence[str] = ()
) -> str:
    """Return the text of findings.md; it is deterministic.

    Args:
        found: The findings.
        learner: Name of the learner that they are about.
        next_grid: The path or URI of the next grid, for the command that searches it.
        settings: The other parameters of that command, as `name=value`.
    """
    parts = ["# What the search found"]
    parts += [_race(found.candidates)] if found.candidates.learners else []
    parts += [f"{_best(found)} In short: {_in_short(found)}."]
    if found.parameters:
        parts += ["## Hyperparameters, most important first", _table(found), _notes(found)]
        parts.append("\n".join(f"- {_sentence(finding, found)}" for finding in found.parameters))
        pairs = _pairs(found)
        parts += [pairs] if pairs else []
    else:
        parts.append(
            "No hyperparameter had more than one value, so nothing can be said about their effects."
        )
    if len(found.candidates.failed):
        parts.append(_failed(found))
    parts.append(_next(found, [*settings, f"learner={learner}", f"grid={next_grid}"]))
    return "\n\n".join(parts) + "\n"


def headline(found: Findings) -> str:
    """Summarise findings on one line, without those that need a table; of a race it names the learner."""
    whose = found.candidates.whose.strip()
    return f"{whose}, {_in_short(found)}" if whose else _in_short(found)


def _in_short(found: Findings) -> str:
    if not found.parameters:
        return "no hyperparameter varied"
    if found.effects and not found.effects.differ:
        return _alike(found.candidates)
    clear = [one for one in found.parameters if one.gain.clear and not one.little]
    weights = [f"{one.name} explains {percent(one.effect.share)}" for one in clear[:MOST_WEIGHTS]]
    edges = [f"{one.name} is best on its {one.edge} edge" for one in found.parameters if one.edge]
    # Candidates that differ in other parameters too are no evidence against a value.
    told = [one for one in found.parameters if one.dropped and one.effect.apart]
    dropped = [f"{one.name} {', '.join(one.dropped)}" for one in told]
    parts = [", ".join(weights) or "no clear effects"] if found.apart else []
    parts += [f"can be dropped: {'; '.join(dropped)}"] if dropped else []
    parts += [", ".join(edges)] if edges else []
    return "; ".join(parts) or "no clear effects"


def _alike(candidates: Candidates) -> str:
    text = f"{'both' if len(candidates.means) == 2 else 'all'} candidates score alike"
    if candidates.metric in (*OF_PROBABILITY, *NUMBER_METRICS):
        return text
    # Where a label is rare none may predict it, and they have 0 by its F1.
    return (
        f"{text} by {candidates.metric}, which knows predicted labels alone, so the best is the first by "
        f"name: metric={DEFAULT_METRIC} may tell them apart"
    )


def _race(candidates: Candidates) -> str:
    learners = [
        f"**{one.learner}** {shown_score(candidates.metric, one.best)} (of {one.candidates})"
        for one in candidates.learners
    ]
    first = candidates.learners[0].learner
    text = f"The best {candidates.metric} of each learner: {', '.join(learners)}."
    if candidates.unfitted:
        text += f" Each candidate that was tried of {_and(candidates.unfitted)} failed."
    return f"{text} What follows is about the candidates of {first}."


def _best(found: Findings) -> str:
    candidates = found.candidates
    count, folds = candidates.folds.shape
    better = "highest" if candidates.sign > 0 else "lowest"
    mean, error = (shown_score(candidates.metric, one) for one in (candidates.means[0], found.error))
    text = (
        f"The best of {count} candidate{'s' * (count != 1)} by {candidates.metric} ({better} mean of "
        f"{folds} folds): **{_shown(candidates.best)}**, {mean} ± {error}."
    )
    if count > 1:
        others = f"{found.alike} others are" if found.alike != 1 else "1 other is"
        text += f" {others if found.alike else 'No other is'} within the uncertainty of the folds."
    return text


def _table(found: Findings) -> str:
    lines = [
        "| | variance explained | best on average | worst | gain | values to drop | edge | next |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found.parameters:
        cells = [
            one.name,
            _share(one) if found.apart else "unknown",
            *_ends(one, found),
            (", ".join(one.dropped) or "none") if one.effect.apart else "unknown",
            one.edge or "no",
            ", ".join(show(value) for value in found.grid[one.name]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _ends(one: Finding, found: Findings) -> list[str]:
    """Return the cells of the best and the worst value on average, and of the gain."""
    if not one.effect.apart:
        return ["unknown"] * 3
    if one.gain.is_none:
        return ["alike", "alike", "none"]
    gain = _figure(one.gain, found.candidates.metric) + ("" if one.gain.clear else " (not clear)")
    return [one.effect.levels[one.best].label, one.effect.levels[one.worst].label, gain]


def _share(one: Finding) -> str:
    error = one.effect.share_error
    return percent(one.effect.share, 1) + ("" if isnan(error) else f" ± {percent(error, 1)}")


def _notes(found: Findings) -> str:
    text = (
        "`gain` is the lead of the best value over the worst, on average over the candidates with the "
        "other parameters held equal. All candidates saw the same folds: differences are taken on each "
        "fold, ± is their standard error, and a difference is clear if Student's 95% interval around it "
        "excludes zero. A value can be dropped if even its best candidate is clearly worse than the best "
        "of all."
    )
    if found.candidates.generations:
        text += (
            " The candidates were drawn towards what scored well, so little is known of other values. "
            "Others would have given other averages: the gain's ± has that too, by what each candidate "
            "differs from a fit to all others; where a value has one candidate alone it is unknown."
        )
    if found.effects and found.apart and not found.effects.whole:
        text += " The candidates are no whole grid, so the variance explained is what "
        if found.effects.unassigned < 0:
            text += (
                "is lost without the parameter: more than 100% in all, since parts of it take several."
            )
        else:
            rest = percent(found.effects.unassigned)
            text += f"no other parameter can explain; {rest} of it is explained by several, or by none."
    if not found.apart:
        text += (
            " There are too few candidates to separate the parameters' effects, so they share the credit."
        )
    return text


def _figure(gain: Difference, metric: str) -> str:
    error = shown_score(metric, gain.error) if isfinite(gain.error) else "unknown"
    return f"{shown_score(metric, gain.mean)} ± {error}"


def _sentence(one: Finding, found: Findings) -> str:
    metric = found.candidates.metric
    levels = [level.label for level in one.effect.levels]
    text = f"**{one.name}** {_effect(one, found)}."
    if one.winner != one.best or not one.effect.apart:
        text += f" The best candidate has {levels[one.winner]}."
    labelled = [(n, f"{levels[n]} ({_figure(lag, metric)} behind)") for n, lag in enumerate(one.behind)]
    text += _listed("Clearly worse even", [said for n, said in labelled if one.behind[n].clear])
    near = [said for n, said in labelled if n != one.winner and not one.behind[n].clear]
    text += _listed("Not clearly worse", near)
    if one.edge:
        text += f" The best is on the {one.edge} edge of the values tried."
    return text


def _effect(one: Finding, found: Findings) -> str:
    """Return what a parameter does on average, with the other parameters held equal."""
    if found.effects and not found.effects.differ:
        return "makes no difference"
    if not one.effect.apart:
        return "varied together with others, so nothing can be said of its own effect"
    weight = "can be told apart"
    if found.apart:
        share = f"explains {percent(one.effect.share)} of the differences"
        weight = "matters little" if one.little else share
    levels = [level.label for level in one.effect.levels]
    best, worst, gain = levels[one.best], levels[one.worst], _figure(one.gain, found.candidates.metric)
    if one.best == one.worst or one.gain.is_none:
        return f"{weight}; its values score alike"
    if not one.gain.clear:
        said = f"which {_who(found)} cannot distinguish from zero"
        return f"{weight}; {best} scores {gain} better than {worst}, {said}"
    place = "between the ends, " * (one.shape == "peaks")
    shape = SHAPES.get(one.shape, f"best {place}at {best}")
    return f"{weight}; {shape}: {best} gains {gain} over {worst}"


def _who(found: Findings) -> str:
    return "these candidates" if found.candidates.generations else "the folds"


def _listed(said: str, items: Sequence[str]) -> str:
    whose = "its" if len(items) == 1 else "their"
    return f" {said} at {whose} best: {_and(items)}." if items else ""


def _pairs(found: Findings) -> str:
    pairs = found.effects.pairs if found.effects and found.apart else []
    heavy = [pair for pair in pairs if pair.share >= LITTLE_TOGETHER][:MOST_PAIRS]
    if not heavy:
        return ""
    listed = _and([f"{pair.first} with {pair.second} ({percent(pair.share, 1)})" for pair in heavy])
    return f"Interactions, by the variance explained beyond what each explains by itself: {listed}."


def _failed(found: Findings) -> str:
    failed = found.candidates.failed
    rows = failed.drop(columns="error").to_dict("records")
    names = [_shown({str(name): value for name, value in row.items()}) for row in rows]
    lines = [f"- {name}: {error}" for name, error in zip(names, failed["error"], strict=True)]
    more = [f"- and {len(lines) - MOST_FAILED} more"] if len(lines) > MOST_FAILED else []
    many = len(lines) != 1
    count = f"{len(lines)} candidate{'s' * many} failed and {'are' if many else 'is'} not included above:"
    return "\n".join([count, "", *lines[:MOST_FAILED], *more])


def _next(found: Findings, settings: Sequence[str]) -> str:
    given = " ".join(f"-P {shlex.quote(one)}" for one in settings)
    text = (
        f"It contains the best candidate. Search it with\n`mlflow run . -e train_grid {given}`. With\n"
        "`-P rounds=2` or more, `main` searches the next grid of a grid search by itself."
    )
    if not found.adds:
        text = "It contains the best candidate, and nothing new to try."
    return f"## Next grid\n\n{text}\n\n```yaml\n{grid_yaml(found)}```"


def _shown(parameters: Parameters) -> str:
    return ", ".join(f"{name}={show(value)}" for name, value in parameters.items())


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
