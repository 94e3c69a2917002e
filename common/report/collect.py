"""The report of a workflow, collected from its runs; nothing is written."""

import io

import pandas as pd
from mlflow.entities import Run

from common.data.readable import readable
from common.data.repeated import Repeated
from common.report.champions import find_champion, find_judged
from common.report.commands import COMMIT, find_commands
from common.report.page import Champion, Page, Section, Table
from common.report.searches import find_search
from common.report.shown import ended, moment, took
from common.store import tracking
from common.store.artifacts import find_text
from common.store.kept import has_artifacts
from common.store.step_run import PROFILED, REPEATED_ROWS
from common.store.workflow_runs import WorkflowRuns, candidates_of, step_of
from common.workflow.declaration import STEPS

SAMPLE = "These figures come from the built-in synthetic sample, not from the real data set."
UNEXPLORED = "The data have not been explored yet; `mlflow run . -e eda` explores them."
DIGESTS = ("data_digest", "train_digest", "test_digest")


def collect(workflow: WorkflowRuns) -> Page:
    """Collect the report of a workflow; a sentence stands in for each missing part."""
    champion = find_champion(workflow)
    data = workflow.load_data.data.tags if workflow.load_data else {}
    first = workflow.main or next(iter(workflow.steps))
    commit = first.data.tags.get(COMMIT)
    subtitle = f"{step_of(first)} {first.info.run_id}, {moment(first.info.start_time)}"
    subtitle += f", {how}" if (how := ended(first)) else ""
    used = champion.uri if isinstance(champion, Champion) else None
    return Page(
        title=f"{data.get('dataset', 'Workflow')}: report",
        subtitle=subtitle + (f", commit {commit[:12]}" if commit else ""),
        warning=SAMPLE if data.get("source") == "sample" else "",
        champion=champion,
        judged=find_judged(workflow),
        searches=[find_search(run) for run in workflow.searches],
        data=_data(workflow.load_data),
        split=_split(workflow.split),
        describe=_describe(workflow.eda),
        lineage=_lineage(workflow),
        commands=find_commands(workflow, used),
    )


def _data(run: Run | None) -> Section:
    if run is None:
        return Section("This workflow has no known run of load_data.")
    tags = run.data.tags
    asked = ("dataset", "source", "source_uri", "data_digest")
    rows = [[name.replace("_", " "), tags[name]] for name in asked if name in tags]
    return Section("", Table(["", "data"], rows, words=("", "data"), code=("data",)))


def _split(run: Run | None) -> Section:
    table = None if run is None else _table(run, "strata.csv")
    if run is None or table is None:
        return Section("The data have not been split yet.")
    counts = table[["train_count", "test_count"]].astype(int)
    train, test = (int(counts[name].sum()) for name in counts)
    least, most = (_number(str(share)) for share in table["test_%"].astype(float).agg(["min", "max"]))
    text = f"{train:,} training rows and {test:,} test rows. "
    if least == most:
        text += f"Of each stratum {least}% are test rows."
    else:
        text += (
            "Each stratum is split in the same ratio, its training rows rounded down to whole rows: "
            f"{least}% to {most}% of a stratum are test rows."
        )
    repeated = Repeated(int(run.data.metrics.get(REPEATED_ROWS, 0)), train + test)
    if repeated.is_worth_telling:
        text += f" {repeated}."
    rows = [[row[0], *map(_number, row[1:])] for row in table.itertuples(index=False)]
    return Section(text, Table(list(table.columns), rows, words=("strata",)))


def _describe(run: Run | None) -> Section:
    table = None if run is None else _table(run, "describe.csv")
    if run is None or table is None:
        return Section(UNEXPLORED if "eda" in STEPS else "The data have not been explored.")
    if (table["exact"] == "True").all():
        table = table.drop(columns="exact")
    is_text = table["type"] == "string"
    words = ("column", "type", "most_frequent")
    for name in table.columns:
        if name not in words:
            # The minimum and maximum of a text column are texts, even if they look like numbers.
            kept = is_text & (name in ("min", "max"))
            table[name] = table[name].where(kept, table[name].map(_number))
    text = f"Summary of every column, by the run {run.info.run_id}"
    profile = run.data.tags.get(PROFILED, "a profile")
    text += f", which also has {profile}: overview.html." if _has_profile(run) else "."
    return Section(text, Table(list(table.columns), table.to_numpy().tolist(), words=words))


def _has_profile(run: Run) -> bool:
    return "no_profile" not in run.data.tags and has_artifacts(run.info.run_id, ["overview.html"])


def _lineage(workflow: WorkflowRuns) -> Table:
    runs = [*([workflow.main] if workflow.main else []), *workflow.steps]
    header = ["step", "run", "started", "took", "made from", "digests"]
    rows = [
        [
            step_of(run),
            run.info.run_id,
            moment(run.info.start_time),
            _duration(run),
            "\n".join(_made_from(run)),
            "\n".join(f"{name}: {run.data.tags[name]}" for name in DIGESTS if name in run.data.tags),
        ]
        for run in runs
    ]
    return Table(header, rows, words=header, code=("run", "made from", "digests"))


def _duration(run: Run) -> str:
    return ", ".join(part for part in (took(run), ended(run)) if part)


def _made_from(run: Run) -> list[str]:
    if step_of(run) == "champion":
        return [f"runs:/{run_id}" for run_id in candidates_of(run)]
    tags = run.data.tags
    inputs = [tags[name] for name in sorted(tags) if name.startswith(tracking.INPUT)]
    return inputs or [tags[name] for name in ("source_uri",) if name in tags]


def _table(run: Run, path: str) -> pd.DataFrame | None:
    """Return a run's table, or None; all values stay text, since a category may be named NA."""
    text = find_text(run.info.run_id, path)
    return None if text is None else pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


def _number(text: str) -> str:
    try:
        return readable(int(text) if text.lstrip("-").isdigit() else float(text))
    except ValueError:
        return text
