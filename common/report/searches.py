"""A search in the report: its settings, its findings and its best candidates."""

from mlflow.entities import Run

from common.errors import UserError
from common.learning.threshold import HALF, at_half, at_own
from common.plots.winner import WINNER_CHARTS
from common.report.page import Picture, Search, Table
from common.report.shown import best_parameters, ended, score, took
from common.search.findings.candidates import Candidates, parse_candidates
from common.store.artifacts import find_files, find_text
from common.store.earlier_candidates import TAKEN_UP_BY
from common.store.workflow_runs import step_of

SHOWN = 5


def find_search(run: Run) -> Search:
    """Collect a search from the artifacts of its run."""
    text = find_text(run.info.run_id, "candidates.csv")
    candidates = _candidates(text)
    tags = run.data.tags
    return Search(
        title=f"{step_of(run)} of {tags.get('learner', 'a learner')}",
        run_id=run.info.run_id,
        summary=_summary(run, candidates),
        best=_best(candidates),
        findings=find_text(run.info.run_id, "findings.md"),
        pictures=[
            Picture(name.removesuffix(".png"), png)
            for name, png in find_files(run.info.run_id, "plots", "*.png").items()
            if name.removesuffix(".png") not in WINNER_CHARTS
        ],
    )


def _candidates(text: str | None) -> Candidates | None:
    try:
        return None if text is None else parse_candidates(text)
    except UserError:
        return None


def _summary(run: Run, candidates: Candidates | None) -> list[str]:
    tags, metrics = run.data.tags, run.data.metrics
    how = ended(run)
    goes_on = f"run {tags[TAKEN_UP_BY]} went on" if TAKEN_UP_BY in tags else "the same command goes on"
    said = [f"It {how}: {goes_on} with the candidates that it finished."] if how else []
    if candidates is not None:
        folds, metric, raced = candidates.folds.shape[1], candidates.metric, candidates.learners
        count = sum(one.candidates for one in raced) or len(candidates.folds)
        of = f" of {len(raced)} learner{'s' * (len(raced) != 1)}" if raced else ""
        lost = int(tags.get("failed_candidates", 0)) or len(candidates.failed)
        failed = f" and {lost} failed one{'s' * (lost != 1)}" if lost else ""
        said.append(
            f"{count} candidate{'s' * (count != 1)}{of}{failed}, scored by {metric} over {folds} folds"
            + (f"; with the refit of the best, in {time}." if not how and (time := took(run)) else ".")
        )
        if f"val_{metric}" in metrics:
            said.append(_of_best(run, metric))
    else:
        said.append("Its table of candidates is missing.")
    if "engine" in tags:
        said.append(f"Engine {tags['engine']}: {tags.get('engine_reason', '')}.")
    if "fitted_by" in tags:
        said.append(f"The best was fitted on all training rows by {tags['fitted_by']}.")
    return said


def _of_best(run: Run, metric: str) -> str:
    metrics = run.data.metrics
    wanted = (f"val_{metric}", f"val_{metric}_std", f"guess_val_{metric}")
    mean, error, guess = (score(metric, metrics.get(name)) for name in wanted)
    test, guess_test = (score(metric, metrics.get(f"{of}_{metric}")) for of in ("test", "guess_test"))
    threshold = metrics.get("threshold", HALF)
    half, own = at_half(metric, threshold), at_own(metric, threshold)
    return (
        f"The best: {best_parameters(run.data.params)}; {metric} {mean} ± {error} over folds{half} "
        f"(standard deviation; guessing {guess}), {test} on the test rows{own} (guessing "
        f"{guess_test}), which played no part in the choice."
    )


def _best(candidates: Candidates | None) -> Table | None:
    if candidates is None:
        return None
    parameters, metric = candidates.parameters.head(SHOWN), candidates.metric
    header = [*parameters.columns, metric, "behind the best", "fits, s"]
    rows = [
        [
            *[f"{value:.6g}" if isinstance(value, float) else str(value) for value in values],
            score(metric, candidates.means[place]),
            "" if place == 0 else f"{score(metric, behind.mean)} ± {score(metric, behind.error)}",
            f"{candidates.seconds[place]:.2f}",
        ]
        for place, (values, behind) in enumerate(
            zip(parameters.itertuples(index=False), candidates.behind, strict=False)
        )
    ]
    return Table(header, rows)
