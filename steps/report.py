"""Entry point report: logs report.html (also in reports/), one page about a workflow."""

import click
import mlflow

from common import ROOT
from common.machine.whole_file import can_be_written, whole_file
from common.report.collect import collect
from common.report.render import render
from common.store import artifacts
from common.store.workflow_runs import WorkflowRuns, find_workflow
from steps.command import step_command
from steps.step import step

REPORT = ROOT / "reports" / "report.html"


@step_command("report")
def report(workflow: str) -> None:
    """Write the report of a workflow: one page that opens from disk."""
    with step("report") as run:
        click.echo(f"the report is in {write_report(find_workflow(workflow, run.experiment_id))}")


def write_report(workflow: WorkflowRuns) -> str:
    """Write the report of a workflow, and log it to the active run; return where it is."""
    page = render(collect(workflow))
    artifacts.log_text(page, REPORT.name)
    if not can_be_written(REPORT):
        return mlflow.get_artifact_uri(REPORT.name)
    with whole_file(REPORT) as part:
        part.write_text(page, encoding="utf-8")
    return str(REPORT)


if __name__ == "__main__":
    report()
