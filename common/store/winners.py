"""Log the results of a search: candidates, findings, and the winner as models with their scores."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import pandas as pd

from common.data.readable import within
from common.data.target import BINARY, REGRESSION
from common.errors import UserError
from common.learning.fittings import REFIT_MLLIB
from common.learning.importance import column_importance
from common.learning.learners import Learner
from common.learning.metrics import shown_score, told
from common.learning.parameters import Parameters
from common.learning.tasks import Table, guess_scores, labels_of, scores
from common.learning.threshold import (
    HALF,
    OF_THRESHOLD,
    Curve,
    Threshold,
    at_half,
    at_own,
    best_threshold,
    fold_scores_at,
)
from common.learning.vectorizer import feature_sources, number_features
from common.machine.secrets import masked
from common.machine.threads import beside
from common.plots.chart import Chart
from common.plots.interactive import PAGE, page
from common.plots.search import search_charts
from common.plots.still import stills
from common.plots.winner import winner_charts
from common.search.engines.boosting.margins import Agreement
from common.search.engines.choice import Engine
from common.search.engines.race import RaceEngine
from common.search.findings.candidates import Candidates, parse_candidates
from common.search.findings.find import find, grid_yaml
from common.search.findings.words import headline, markdown
from common.search.refit import Refit, refit_winner
from common.search.result import CandidateResult, candidates_table, ranked, told_failures
from common.search.search import Proposer, Settings
from common.search.winner import model_table, scoring_pipeline
from common.store import candidate_runs, staging, tracking
from common.store.candidate_runs import CandidateWriter
from common.store.pipelines import Made, log_pipeline, log_sides
from common.store.registry import THRESHOLD_SCORES
from common.store.searches import SearchData, Show, open_search, search_data, settings_of
from common.store.spark_models import load_spark_model
from common.store.step_run import Run

log = logging.getLogger(__name__)

# What the differences of margins are parts of, where a number is predicted.
SPREAD = "the numbers' spread"


def run_search(run: Run, settings: Settings, proposer: Proposer, show: Show) -> None:
    """Score the proposed candidates, each in a child run, and log the results and the best model.

    Args:
        run: The run of the search; it reads the input `features`.
        settings: The settings for scoring candidates.
        proposer: The source of candidates: a grid, a genetic search or a race.
        show: A factory for the progress display.

    Raises:
        UserError: Every candidate failed.
    """
    data = search_data(run, settings.folds, settings.balance)
    with open_search(run, settings, data.folds, proposer, show) as (search, writer):
        search.run(proposer)
        if search.is_over:
            count = f"{len(search.outcomes)} of at most {proposer.most} candidates"
            run.tell(f"minutes={settings.minutes:g} are over: scored {count}")
        failures = search.failures
        if not search.results:
            raise UserError(told_failures(failures, failures[0].error, 0))
        table = candidates_table(search.results, settings.metric, failures, proposer.generations)
        winner = ranked(search.results, settings.metric)[0]
        scored = _Scored(run, settings, data, search.engine, writer)
        _log_best(scored, winner, len(search.results), table, proposer.table())
        if failures:
            run.tag(failed_candidates=len(failures))
            log.warning("%s", told_failures(failures, masked(failures[0].error), len(search.results)))
    if isinstance(search.engine, RaceEngine):
        learner, _ = settings.learner.chosen(winner.parameters)
        # Last: until a race has ended, its tags are those by which it is taken up again.
        run.tag(learner=learner.name, engine=search.engine.choices[learner.name].engine)


@dataclass(frozen=True)
class _Scored:
    """A search whose candidates are all scored."""

    run: Run
    settings: Settings
    data: SearchData
    engine: Engine
    writer: CandidateWriter


def _log_best(
    search: _Scored,
    winner: CandidateResult,
    scored: int,
    table: pd.DataFrame,
    generations: pd.DataFrame | None,
) -> None:
    """Log the candidates, the findings, and the winner, refitted on all training rows."""
    run, metric = search.run, search.settings.metric
    learner, _ = search.settings.learner.chosen(winner.parameters)
    run.log_table("candidates.csv", table)
    if generations is not None:
        run.log_table("generations.csv", generations)
    of_generations = None if generations is None else generations.to_csv(index=False)
    candidates = parse_candidates(table.to_csv(index=False), generations=of_generations)
    # This process only waits during the refit, so drawing beside it is free.
    charts = search_charts(candidates)
    drawing = beside(run.spark, stills, charts)
    _log_findings(run, candidates, learner)
    test, of_winner, threshold = _log_model(search, winner)
    guess = guess_scores(labels_of(test))
    pictures = drawing.result() | stills(of_winner)
    shown = page(f"{run.step} of {search.data.spec.name}", [*charts, *of_winner])
    run.log_files("plots", {**pictures, PAGE: shown.encode()})
    run.log_dataset(search.data.spec)
    run.tell(f"best of {scored}: {winner.name}")
    mean, std = (shown_score(metric, value) for value in (winner.mean(metric), winner.std(metric)))
    over = f"{metric} {mean} over folds{at_half(metric, threshold)} (standard deviation {std})"
    run.tell(f"{over}; {told(metric, scores(test), guess)} on the test rows{at_own(metric, threshold)}")


def _log_findings(run: Run, candidates: Candidates, learner: Learner) -> None:
    found = find(candidates, learner.parameters)
    text = markdown(found, learner.name, run.artifact_uri("next_grid.yaml"), settings_of(run.parameters))
    run.log_text("findings.md", text)
    run.log_text("next_grid.yaml", grid_yaml(found))
    # The title is left out because the page shows only the first lines until it is expanded.
    run.describe(text.partition("\n\n")[2])
    # The page has them all.
    first = headline(found).partition("; ")[0]
    run.tell(f"findings: {first}; next grid: {run.artifact_uri('next_grid.yaml')}")


def _log_model(search: _Scored, winner: CandidateResult) -> tuple[Table, list[Chart], float]:
    """Refit the winner, score it on both sides and log it; return test table, charts and threshold."""
    run, settings, data = search.run, search.settings, search.data
    spec = data.spec
    learner, parameters = settings.learner.chosen(winner.parameters)
    parameters = learner.fitted(parameters, winner.trees)
    run.tell("refitting the best on all training rows")
    loading = beside(run.spark, load_spark_model, run.uri("features", "vectorizer"))
    refit = _refit(search, learner, parameters)
    checking = beside(run.spark, refit.check, [data.folds.frame, data.test])
    model = refit.model
    threshold = _threshold(search, winner)
    tables = {
        "train": model_table(model, data.folds.frame, spec.target, data.folds.rows, threshold.value),
        "test": model_table(model, data.test, spec.target, data.digests["test"].rows, threshold.value),
    }
    _tell_refit(run, refit, checking.result(), spec.target.task)
    child = search.writer.run_id(winner.name)
    candidate_runs.log_winner(winner, parameters, settings.metric, run.id, child)
    log_sides(tables, [run.id, child])
    vectorizer = loading.result()
    pipeline = scoring_pipeline(vectorizer, model, spec, threshold.value)
    sources, numbers = feature_sources(vectorizer, spec), number_features(vectorizer, spec)
    importance = column_importance(model, sources, numbers, data.folds.frame)
    made = Made(learner.name, parameters, refit.by, importance)
    strata = log_pipeline(run, pipeline, data, tables["test"], made)
    charts = winner_charts(
        tables["train"], tables["test"], spec.target, importance, strata, spec.label, threshold.value
    )
    return tables["test"], charts, threshold.value


def _refit(search: _Scored, learner: Learner, parameters: Parameters) -> Refit:
    run, settings = search.run, search.settings
    engine = None if settings.refit == REFIT_MLLIB else search.engine
    reach = partial(staging.to_workers, run.spark)
    return refit_winner(parameters, learner, search.data.folds, settings.seed, engine, reach)


def _tell_refit(run: Run, refit: Refit, agreed: Agreement | None, task: str) -> None:
    """Say what fitted the winner, on the run and to the user."""
    run.tag(fitted_by=refit.by)
    kind, found = type(refit.model).__name__, ""
    if agreed is not None:
        run.log_metrics({"refit_margin_difference": agreed.largest})
        close = within(agreed.largest, SPREAD * (task == REGRESSION))
        found = f"; its margins are the engine's on {agreed.rows:,} rows, {close}"
    run.tell(f"fitted by {refit.by}, a {kind}{found}")


def _threshold(search: _Scored, winner: CandidateResult) -> Threshold:
    """Choose the threshold of two labels from the folds' predictions, unless one was given; log it."""
    run, settings, target = search.run, search.settings, search.data.spec.target
    if target.task != BINARY:
        return Threshold(HALF)
    found, metric = Threshold(HALF if settings.threshold is None else settings.threshold), settings.metric
    # The folds' scores are those at one half.
    curves = [] if settings.threshold == HALF else _curves(search, winner)
    if curves:
        found = best_threshold(curves, metric) if settings.threshold is None else found
        by_fold = fold_scores_at(curves, metric, settings.threshold)
        means = {name: fmean(one[name] for one in by_fold) for name in OF_THRESHOLD}
        tracking.log_scores(tracking.AT_THRESHOLD, means, [run.id])
    if metric in OF_THRESHOLD:
        at_threshold = [one[metric] for one in by_fold] if curves else winner.by_fold(metric)
        run.tag(**{THRESHOLD_SCORES: json.dumps(at_threshold)})
    if found.metric:
        metrics = {"threshold_score": found.score, "threshold_score_at_half": found.at_half}
        run.log_metrics(metrics)
        run.tag(threshold_metric=found.metric)
        score, at_half = (shown_score(found.metric, one) for one in (found.score, found.at_half))
        run.tell(
            f"threshold {found.value:g}: {found.metric} {score} over folds, each at the one that the "
            f"others choose; {at_half} at {HALF}"
        )
    run.log_metrics({"threshold": found.value})
    return found


def _curves(search: _Scored, winner: CandidateResult) -> Sequence[Curve]:
    """Return the counts of each fold's predictions; a result from a store has them scored again."""
    if winner.curves:
        return winner.curves
    outcomes = search.engine.evaluate([winner.parameters])
    (again,) = [one for one in outcomes if isinstance(one, CandidateResult)]
    assert again.curves, "two labels have probabilities"
    return again.curves
