"""Entry point eda: leaves describe.csv, describe.html and overview.html (also in reports/)."""

import sys

import click

from common.data.describe import describe, describe_html
from common.data.profile import write_profile
from common.machine.whole_file import whole_file
from common.store.get_or_run import ROOT
from steps.step import PROFILES, origin_options, step, step_command


@step_command("eda")
@click.option("--data", default="auto", help="URI of a data set; auto: this workflow's load_data.")
@click.option("--profile", default="full", type=click.Choice(PROFILES), help="How much.")
@click.option(
    "--profile-rows", default=100_000, type=click.IntRange(1), help="Rows profiled at the most."
)
@origin_options
def eda(data: str, profile: str, profile_rows: int, dataset: str, source: str) -> None:
    """Describe every column, and profile a sample of the rows."""
    with step("eda") as run:
        spec, frame = run.dataset("data"), run.frame("data")
        table = describe(frame, spec.missing)
        run.log_table("describe.csv", table)
        run.log_text("describe.html", describe_html(table, f"{spec.name}: {len(table)} columns"))
        click.echo(table.to_string(index=False, max_colwidth=24, na_rep=""))
        if profile != "none":
            report = ROOT / "reports" / "overview.html"
            title, minimal = f"{spec.name}: overview", profile == "minimal"
            with whole_file(report) as part:
                write_profile(frame, part, title, profile_rows, minimal, sys.stderr.isatty())
                run.log_file(part)
            click.echo(f"the profile is in {report}")


if __name__ == "__main__":
    eda()
