"""The commands that repeat a workflow, and those that use its champion."""

import shlex

from mlflow.entities import Run

from common.report.page import Command
from common.store import tracking
from common.store.workflow_runs import WorkflowRuns, asked, step_of
from common.workflow.declaration import ORIGIN, entry_defaults

COMMIT = "mlflow.source.git.commit"
RUN = "mlflow run . --env-manager local"


def find_commands(workflow: WorkflowRuns, champion: str | None) -> list[Command]:
    """Return the commands, those for the whole workflow first.

    Args:
        workflow: The workflow to repeat.
        champion: URI of the champion; None if there is none.
    """
    first = workflow.main or next(iter(workflow.steps))
    commands = []
    if COMMIT in first.data.tags:
        commands.append(Command("check out the same commit", f"git checkout {first.data.tags[COMMIT]}"))
    if workflow.main:
        commands.append(Command("run the whole workflow, reusing finished steps", _again(workflow.main)))
        everything = f"{_again(workflow.main)} -P use_cache=false"
        commands.append(Command("run the whole workflow, reusing nothing", everything))
    for run in workflow.steps:
        commands.append(Command(f"run {step_of(run)} alone, on the same input", _again(run)))
    if champion:
        score = f"{RUN} -e predict -P input=FILE -P output=FOLDER -P model={shlex.quote(champion)}"
        commands.append(Command("score a file with the champion", score))
        serve = f"make serve model={shlex.quote(champion)}"
        commands.append(Command("serve the champion", serve))
    return commands


def _again(run: Run) -> str:
    """Return the command that repeats a run; parameters at their defaults are left out."""
    step, defaults = step_of(run), entry_defaults(step_of(run))
    inputs = {
        name: ",".join(tracking.listed(run.data.tags, tracking.INPUT + name))
        for name in defaults
        if tracking.INPUT + name in run.data.tags
    }
    # With an explicit input, the parameters of the steps before it have no effect.
    left_out = {"use_cache", *(ORIGIN if inputs else ())}
    given = {**asked(run), **inputs}
    changed = [
        f"{name}={given[name]}"
        for name, default in defaults.items()
        if name not in left_out and given.get(name, default) != default
    ]
    return " ".join([f"{RUN} -e {step}", *[f"-P {shlex.quote(one)}" for one in changed]])
