"""The description of main's run in MLflow's UI: the results of the workflow, with links to its parts."""

from mlflow.entities import Run

from common.learning.metrics import told
from common.learning.threshold import HALF, at_half
from common.report.champions import model_name
from common.report.shown import score
from common.store.experiment import run_link, version_link
from common.store.registry import METRIC, guessed_scores, of_lost, present_champion, test_scores
from common.store.workflow_runs import WorkflowRuns, step_of


def summary(workflow: WorkflowRuns, report: str) -> str:
    """Return the description of main's run, as Markdown.

    Args:
        workflow: The workflow, including its run of main.
        report: Name of the report among the artifacts of that run.
    """
    lines = [_champion(workflow)]
    if workflow.main:
        lines.append(f"{_link(workflow.main, 'Report', report)}: all of this workflow on one page.")
    lines += [f"{_link(search)}: {_found(search)}" for search in workflow.searches]
    others = [run for run in workflow.steps if run not in workflow.searches]
    lines.append("The other steps: " + ", ".join(_link(run) for run in others) + ".")
    return "\n".join(f"- {line}" for line in lines if line)


def _champion(workflow: WorkflowRuns) -> str:
    name = model_name(workflow)
    version = present_champion(name) if name else None
    if not name or version is None:
        return ""
    scores, guess = test_scores(version), guessed_scores(version)
    metric = version.tags.get(METRIC, "")
    known = metric in scores and metric in guess
    shown = f": {told(metric, scores, guess)} on the test rows" if known else ""
    number = str(version.version)
    link = f"[{name}, version {number}]({version_link(name, number)})"
    return f"Champion: {link}{shown}{of_lost(version)}."


def _found(search: Run) -> str:
    tags, metrics = search.data.tags, search.data.metrics
    metric = tags.get(METRIC, "")
    mean = score(metric, metrics.get(f"val_{metric}"))
    best = f"the best {tags.get('learner', 'model')} has {metric} {mean}"
    half = at_half(metric, metrics.get("threshold", HALF))
    return f"{best} over the folds{half}; its page says what was found."


def _link(run: Run, text: str = "", path: str = "") -> str:
    return f"[{text or step_of(run)}]({run_link(run.info.experiment_id, run.info.run_id, path)})"
