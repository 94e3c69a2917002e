"""The champion in the report: its metrics, its predecessor and the verdicts on the workflow's winners."""

import json
from collections.abc import Mapping

from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from common.data.target import BINARY, MULTICLASS, REGRESSION, predicted
from common.learning.metrics import shown_score, sign
from common.learning.tasks import TASKS
from common.learning.threshold import HALF, at_half, at_own
from common.plots.winner import WINNER_CHARTS
from common.report.page import Champion, Picture, Section, Table
from common.report.shown import best_parameters, score
from common.store import tracking
from common.store.artifacts import find_files, find_text
from common.store.challenge import ELSEWHERE, is_from_elsewhere
from common.store.registry import (
    CHAMPION,
    FOLLOWED_BY,
    FOLLOWS,
    LABELS,
    MEMBERS,
    METRIC,
    REASON,
    SEARCH,
    TEST_DIGEST,
    find_versions,
    guessed_scores,
    has_test_rows_of,
    of_lost,
    task_of,
    test_scores,
)
from common.store.searches import SHOWN_LABELS
from common.store.workflow_runs import WorkflowRuns, asked, candidates_of

# The metrics in large type, by task, and the names of those whose name is not their key.
FIGURES = {
    BINARY: ("roc_auc", "f1", "accuracy", "log_loss"),
    MULTICLASS: ("log_loss", "accuracy", "f1_macro", "roc_auc"),
    REGRESSION: ("rmse", "mae", "median_absolute_error", "r2"),
}
NAMES = {
    **{"roc_auc": "ROC AUC", "f1": "F1", "f1_macro": "mean F1 of the labels", "log_loss": "log loss"},
    **{"rmse": "RMSE", "mae": "MAE", "median_absolute_error": "median absolute error", "r2": "R²"},
}
A_VOTE = "a vote of several searches' winners"
FIRST = "There was no champion before it."
UNKNOWN = "Which version was champion before it is not known."
# The tags of a champion run that name a version each.
VERSION = "version_"
UNJUDGED = "No winner of this workflow has been registered yet; `mlflow run . -e champion` registers one."


def model_name(workflow: WorkflowRuns) -> str | None:
    """Return the model that a workflow's winners were registered in; None if they were not registered."""
    run = workflow.champion
    return None if run is None else run.data.tags.get("model") or asked(run).get("name")


def find_champion(workflow: WorkflowRuns) -> Champion | str:
    """Return the model's current champion, from whichever workflow; a sentence if there is none."""
    name = model_name(workflow)
    if name is None:
        return UNJUDGED
    versions = find_versions(name)
    champion = next((one for one in versions.values() if CHAMPION in one.aliases), None)
    if champion is None:
        return f"The model {name} currently has no champion."
    tags = champion.tags
    search = _run(tags.get(SEARCH, ""))
    comparison, compared = _compare(champion, versions.get(tags.get(FOLLOWS, "")), labels_of(search))
    pictures = find_files(tags.get(SEARCH, ""), "plots", "*.png")
    return Champion(
        title=f"{name}, version {champion.version}: {tags.get('learner', 'a model')}",
        uri=f"models:/{name}/{champion.version}",
        story=_story(champion, workflow),
        figures=_figures(champion),
        facts=_facts(champion, search),
        comparison=comparison,
        compared=compared,
        pictures=[
            Picture(chart, pictures[f"{chart}.png"])
            for chart in WINNER_CHARTS
            if f"{chart}.png" in pictures
        ],
        card=find_text(tags.get(SEARCH, ""), "portable-model/README.md"),
    )


def find_judged(workflow: WorkflowRuns) -> Section:
    """Return a table of the workflow's winners and the verdict on each."""
    name, judge = model_name(workflow), workflow.champion
    if name is None or judge is None:
        return Section(UNJUDGED)
    versions = [one for one in find_versions(name).values() if _was_judged(one, judge)]
    rows = [_judged(one) for one in versions]
    header = ["version", "search", "learner", "metric", "over folds", "on test", "guessing", "now", "why"]
    text = f"Each search's winner was refitted on all training rows and registered as a version of {name}"
    # A run that made a version champion by hand judged none.
    count = sum(tag.startswith(VERSION) for tag in judge.data.tags) if candidates_of(judge) else 0
    if (gone := count - len(rows)) > 0:
        text += f"; {gone} of {count} {'has' if gone == 1 else 'have'} been deleted since"
    text += "."
    return Section(text, Table(header, rows, words=("search", "learner", "metric", "now", "why")))


def _was_judged(version: ModelVersion, judge: Run) -> bool:
    """Return whether a champion run judged a version: its number may be that of a deleted one."""
    winners = {version.tags.get(SEARCH, ""), *json.loads(version.tags.get(MEMBERS, "{}"))}
    of_judge = bool(winners & {*candidates_of(judge)})
    return of_judge and f"{VERSION}{version.version}" in judge.data.tags


def _figures(champion: ModelVersion) -> list[tuple[str, str, str]]:
    """Return the name, the value and a guess's score of each figure."""
    found, guess = test_scores(champion), guessed_scores(champion)
    return [
        (NAMES.get(key, key), score(key, found.get(key)), score(key, guess.get(key)))
        for key in FIGURES[task_of(champion.tags)]
    ]


def _judged(version: ModelVersion) -> list[str]:
    tags = version.tags
    metric = tags.get(METRIC, "")
    over, test, guess = [_tag_score(tags, of, metric) for of in ("val", "test", "guess_test")]
    threshold = float(tags.get("threshold", HALF))
    over, test = over and over + at_half(metric, threshold), test and test + at_own(metric, threshold)
    named = [str(version.version), tags.get("step", ""), tags.get("learner", ""), metric]
    why = tags.get(REASON, "")
    if CHAMPION in version.aliases and is_from_elsewhere(version):
        why = ELSEWHERE
    elif FOLLOWED_BY in tags:
        why += f"; then version {tags[FOLLOWED_BY]} took its place"
    return [*named, over, test, guess, ", ".join(version.aliases), why]


def labels_of(search: Run | None) -> Mapping[str, str]:
    """Return the names of label_0, label_1, ..., as far as they are known."""
    tags = search.data.tags if search else {}
    keys = [f"label_{place}" for place in range(SHOWN_LABELS)]
    return {key: tags[key] for key in keys if key in tags}


def _story(champion: ModelVersion, workflow: WorkflowRuns) -> str:
    tags, judge = champion.tags, workflow.champion
    story = f"It is {A_VOTE if MEMBERS in tags else 'the winner of ' + (tags.get('step') or 'a search')}"
    if judge is None or not _was_judged(champion, judge):
        story += " in another workflow; see below the verdicts on this workflow's winners"
    if workflow.searches and not has_test_rows_of(champion, workflow.searches):
        story += ". Its scores are of that workflow's test rows, which are not those of this one"
    story += of_lost(champion)
    if is_from_elsewhere(champion):
        return f"{story}; {ELSEWHERE}."
    return f"{story}. Verdict: {tags.get(REASON, 'none is recorded').replace(': ', ', ', 1)}."


def _facts(champion: ModelVersion, search: Run | None) -> list[tuple[str, str]]:
    tags, metrics = champion.tags, search.data.metrics if search else {}
    facts = [("predicts", _predicts(champion, labels_of(search)))]
    facts.append(("hyperparameters", best_parameters(tags)))
    metric = tags.get(METRIC, "")
    mean, error = (score(metric, metrics.get(f"val_{metric}{end}")) for end in ("", "_std"))
    guess = score(metric, metrics.get(f"guess_val_{metric}"))
    threshold = metrics.get("threshold", HALF)
    over = f"{mean} ± {error}{at_half(metric, threshold)} (standard deviation; guessing {guess})"
    facts.append((f"{metric} over folds", over if mean else ""))
    learnt = score(metric, metrics.get(f"train_{metric}"))
    facts.append((f"{metric} on the training rows", learnt and learnt + at_own(metric, threshold)))
    facts.append(("test rows' digest", tags.get(TEST_DIGEST, "")))
    facts.append(("its search", tags.get(SEARCH, "")))
    return [(name, value) for name, value in facts if value]


def _predicts(champion: ModelVersion, labels: Mapping[str, str]) -> str:
    count = int(champion.tags.get(LABELS, 2))
    said = predicted(task_of(champion.tags), count)
    if not labels:
        return said
    more = count - len(labels)
    return f"{said}: {', '.join(labels.values())}" + (f" and {more} more" if more > 0 else "")


def _compare(
    champion: ModelVersion, before: ModelVersion | None, labels: Mapping[str, str]
) -> tuple[Table | None, str]:
    if is_from_elsewhere(champion):
        return None, UNKNOWN
    if before is None:
        gone = champion.tags.get(FOLLOWS)
        return None, f"Version {gone}, the previous champion, has been deleted." if gone else FIRST
    by = f"{before.tags.get('learner', '')} by {before.tags.get('step', '')}"
    what = f"version {before.version}, {A_VOTE if MEMBERS in before.tags else by}"
    if task_of(before.tags) != task_of(champion.tags):
        return None, f"The previous champion is {what}. It predicted something else."
    if before.tags.get(TEST_DIGEST) != champion.tags.get(TEST_DIGEST):
        return None, (
            f"The previous champion is {what}. It was scored on other test rows, so their metrics cannot "
            "be compared."
        )
    then, now, guess = test_scores(before), test_scores(champion), guessed_scores(champion)
    rows = [
        [
            _metric(key, labels),
            score(key, guess.get(key)),
            score(key, then[key]),
            score(key, now[key]),
            _gain(key, now[key] - then[key]),
        ]
        for key in TASKS[task_of(champion.tags)].metrics
        if key in then and key in now
    ]
    header = [
        "test rows",
        "guessing",
        f"version {before.version}",
        f"version {champion.version}",
        "difference",
    ]
    compared = (
        f"The previous champion is {what} ({best_parameters(before.tags)}). Both on the same test rows, "
        "where differences may be chance; a verdict goes by the folds, or by rows new to both:"
    )
    return Table(header, rows, words=("test rows",)), compared


def _metric(key: str, labels: Mapping[str, str]) -> str:
    name = key.removesuffix("_label_0")
    place = "label_0" if name != key else "label_1"
    of_a_label = name in ("f1", "precision", "recall") and place in labels
    return f"{name} of {labels[place]}" if of_a_label else key


def _gain(metric: str, difference: float) -> str:
    shown = shown_score(metric, difference, signed=True)
    if not any(digit in shown for digit in "123456789"):
        return f"within {shown_score(metric, 0.0001)}" if difference else "same"
    return f"{shown} {'better' if difference * sign(metric) > 0 else 'worse'}"


def _tag_score(tags: Mapping[str, str], of: str, metric: str) -> str:
    key = f"{of}_{metric}"
    return score(metric, float(tags[key])) if key in tags else ""


def _run(run_id: str) -> Run | None:
    return tracking.find_run(run_id)
