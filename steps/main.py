"""Entry point main: the whole workflow, each step a child run that is reused or run."""

from contextlib import ExitStack

import click
import mlflow
import pandas as pd

from common.champion.verdict import parse_margin
from common.learning.tasks import shown_scores
from common.learning.threshold import parse_threshold
from common.report.summary import summary
from common.store import registry, tracking
from common.store.chain import Chain
from common.store.conf import load_gates
from common.store.experiment import where_to_look
from common.store.get_or_run import StepRun
from common.store.grids import check_grid
from common.store.spaces import check_space
from common.store.step_run import start_run
from common.store.workflow_runs import STEP_RUNS, WorkflowRuns, workflow_of
from steps.command import step_command
from steps.report import REPORT, write_report


@step_command("main")
def main(
    learner: str,
    grid: str,
    rounds: int,
    space: str,
    generations: int,
    metric: str,
    threshold: str,
    engine: str,
    name: str,
    margin: str,
    gates: str,
    use_cache: bool,
) -> None:
    """Load, explore, split, featurize, search, and let the winner challenge the champion."""
    registry.check_name(name)
    parse_margin(margin)
    load_gates(gates)
    parse_threshold(threshold)
    check_grid(learner, grid, engine)
    check_space(learner, space, engine)
    given = click.get_current_context().params
    with start_run("main", click.echo) as active, ExitStack() as background:
        chain = Chain(active.info.experiment_id, given, use_cache, background)
        # A workflow that fails has steps that are done, too.
        background.callback(_note_steps, chain)
        loaded = chain.run("load_data")
        data, spec = loaded.uri("data"), loaded.dataset()
        chosen, name = chain.suit(spec), registry.model_name(name, spec.name)
        eda = chain.start("eda", data=data)
        split = chain.run("split", data=data)
        chain.check_folds(split, spec.task)
        features = chain.run("featurize", split=split.uri()).uri()
        searches = chain.search_grids(features, rounds, chosen, click.echo)
        if generations:
            searches.append(chain.run("train_ga", features=features).uri())
        judged = registry.has_all(name, searches)
        chain.run("champion", reusable=judged, candidates=",".join(searches))
        chain.wait(eda)
        _note_steps(chain)
        workflow = workflow_of(mlflow.get_run(active.info.run_id))
        _tell(chain.done, workflow, name, spec.task)
        page = write_report(workflow)
        tracking.describe_run(summary(workflow, REPORT.name))
        click.echo(f"look at it: {where_to_look(active.info.experiment_id)}")
        click.echo(f"report: {page}")


def _note_steps(chain: Chain) -> None:
    mlflow.set_tags(tracking.list_tags(STEP_RUNS, dict.fromkeys(done.run_id for done in chain.done)))


def _tell(done: list[StepRun], workflow: WorkflowRuns, name: str, task: str) -> None:
    steps = pd.DataFrame(
        [(s.step, s.run_id, "reused" if s.reused else "new", f"{s.seconds:.1f}") for s in done],
        columns=["step", "run", "state", "seconds"],
    )
    click.echo(f"\n{steps.to_string(index=False)}")
    champion = registry.present_champion(name)
    if champion is not None:
        scores = registry.test_scores(champion)
        mlflow.log_metrics({f"champion_test_{key}": value for key, value in scores.items()})
        shown = shown_scores(task, scores, registry.guessed_scores(champion))
        said = f"champion: models:/{name}@champion, version {champion.version}; test {shown}"
        if not registry.has_test_rows_of(champion, workflow.searches):
            said += " (of its own workflow: this one has other test rows)"
        click.echo(f"\n{said}{registry.of_lost(champion)}")
        for note in registry.notes_of(champion):
            click.echo(f"note: {note}")


if __name__ == "__main__":
    main()
