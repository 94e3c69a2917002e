"""Entry point eda: logs describe.csv, describe.html and overview.html (also in reports/)."""

import logging

import click

from common import ROOT
from common.data.describe import describe, describe_html, describe_text
from common.data.profile import NoProfile, part_of, profiled_columns, write_profile
from common.data.row_hash import quoted
from common.machine import copies
from common.machine.whole_file import can_be_written, whole_file
from common.store.step_run import PROFILED
from steps.command import step_command
from steps.step import step

log = logging.getLogger(__name__)


@step_command("eda")
def eda(profile: str, profile_rows: int, profile_columns: int) -> None:
    """Describe every column, and profile a sample of the rows."""
    with step("eda") as run:
        spec, frame = run.dataset("data"), run.frame("data")
        table = describe(frame)
        run.log_table("describe.csv", table)
        run.log_text("describe.html", describe_html(table, f"{spec.name}: {len(table)} columns"))
        if run.is_alone:
            click.echo(describe_text(table))
        click.echo(f"{len(table)} columns described: {run.artifact_uri('describe.csv')}")
        if profile != "none":
            report = ROOT / "reports" / "overview.html"
            told_in = str(report)
            if not can_be_written(report):
                report = copies.new_folder() / report.name
                told_in = run.artifact_uri(report.name)
            minimal, names = profile == "minimal", profiled_columns(spec, profile_columns)
            rows = int(table.loc[0, ["count", "null"]].sum())
            left = part_of(profile_rows, rows, len(names), len(spec.names))
            part = f" of {' and '.join(left.values())}" if left else ""
            title = f"{spec.name}: overview{part}"
            shown = frame.select(*[quoted(name) for name in names])
            with whole_file(report) as page:
                try:
                    write_profile(shown, page, title, profile_rows, minimal, run.shows_bar)
                except NoProfile as error:
                    log.warning("no profile: %s", error)
                    run.tag(no_profile=error)
                    page.write_text(f"No profile of {spec.name}: {error}\n", encoding="utf-8")
                else:
                    run.tag(**{PROFILED: f"a {profile} profile{part}"})
                    told = "; ".join(f"{said}: profile_{what}=" for what, said in left.items())
                    click.echo(f"the profile is in {told_in}" + (f" ({told})" if told else ""))
                run.log_file(page)


if __name__ == "__main__":
    eda()
