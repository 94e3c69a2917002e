"""What a search leaves: its table, what was found, and its winner as models with their scores."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from mlflow.types import DataType
from pyspark.ml import PipelineModel

from common.data.row_hash import quoted
from common.errors import UserError
from common.learning.importance import column_importance
from common.learning.learners import Learner, Parameters
from common.learning.metrics import ScoreTable, guess_scores, label_counts, scores, told
from common.learning.vectorizer import feature_sources
from common.machine.spark import beside
from common.plots.chart import Chart
from common.plots.interactive import PAGE, page
from common.plots.search import search_charts
from common.plots.still import stills
from common.plots.winner import winner_charts
from common.scoring.card import model_card, stratum_scores
from common.scoring.export import export, vocabulary
from common.search.findings.candidates import Candidates, parse_candidates
from common.search.findings.find import find, grid_yaml
from common.search.findings.words import headline, markdown
from common.search.result import CandidateFailure, CandidateResult, candidates_table, ranked
from common.search.search import Proposer, Settings
from common.search.winner import model_table, refit, scoring_pipeline
from common.store import candidate_runs, tracking
from common.store.candidate_runs import CandidateWriter
from common.store.portable_models import log_portable_model
from common.store.searches import SearchData, Show, open_search, search_data
from common.store.spark_models import load_spark_model, log_spark_model
from common.store.step_run import Run

log = logging.getLogger(__name__)


def run_search(run: Run, settings: Settings, proposer: Proposer, show: Show) -> None:
    """Score what a proposer proposes, each candidate a run below this one, and leave the best.

    Args:
        run: of the search; its input `features` is read.
        settings: how candidates are scored.
        proposer: of a grid, of a genetic search.
        show: shows the search while it goes on.

    Raises:
        UserError: every candidate failed.
    """
    data = search_data(run, settings.folds)
    with open_search(run, settings, data.folds, proposer, show) as (search, writer):
        proposer.propose(search)
        failures = [o for o in search.outcomes.values() if isinstance(o, CandidateFailure)]
        if not search.results:
            raise UserError(f"all {len(failures)} candidates failed, the first by: {failures[0].error}")
        table = candidates_table(search.results, settings.metric, failures, proposer.generations)
        _leave_best(_Leaving(run, settings, data, writer), search.results, table)
        if failures:
            _tell_failures(run, failures)
    generations = proposer.table()
    if generations is not None:
        run.log_table("generations.csv", generations)


@dataclass(frozen=True)
class _Leaving:
    """What all of a search's leavings are made from."""

    run: Run
    settings: Settings
    data: SearchData
    writer: CandidateWriter


def _leave_best(of: _Leaving, results: Sequence[CandidateResult], table: pd.DataFrame) -> None:
    """Leave the candidates, what was found, and the best of them, refitted on all training rows."""
    run, metric = of.run, of.settings.metric
    winner = ranked(results, metric)[0]
    run.log_table("candidates.csv", table)
    candidates = parse_candidates(table.to_csv(index=False))
    # Spark's refit leaves this process waiting.
    charts = search_charts(candidates)
    drawing = beside(run.spark, stills, charts)
    _leave_findings(run, candidates, of.settings.learner)
    test, of_winner = _leave_model(of, winner)
    guess = guess_scores(label_counts(test))
    pictures = drawing.result() | stills(of_winner)
    shown = page(f"{run.step} of {of.data.spec.name}", [*charts, *of_winner])
    run.log_files("plots", {**pictures, PAGE: shown.encode()})
    run.log_dataset(of.data.spec)
    run.tell(f"best of {len(results)}: {winner.name}")
    over_folds = f"{winner.mean(metric):.4f} +- {winner.std(metric):.4f} over folds"
    run.tell(f"{metric} {over_folds}; {told(metric, scores(test), guess)} on the test rows")


def _tell_failures(run: Run, failures: Sequence[CandidateFailure]) -> None:
    run.tag(failed_candidates=len(failures))
    first = failures[0]
    log.warning("%d candidates failed, the first (%s) by: %s", len(failures), first.name, first.error)


def _leave_findings(run: Run, candidates: Candidates, learner: Learner) -> None:
    found = find(candidates, learner.parameters)
    text = markdown(found, run.artifact_uri("next_grid.yaml"))
    run.log_text("findings.md", text)
    run.log_text("next_grid.yaml", grid_yaml(found))
    # Without its title: the page shows the first lines alone until it is asked for more.
    run.describe(text.partition("\n\n")[2])
    # The page has them all.
    first = headline(found).partition("; ")[0]
    run.tell(f"findings: {first}; next grid: {run.artifact_uri('next_grid.yaml')}")


def _leave_model(of: _Leaving, winner: CandidateResult) -> tuple[ScoreTable, list[Chart]]:
    """Refit the winner, score it on both sides and keep it; return its test table and pictures."""
    run, settings, data = of.run, of.settings, of.data
    learner, spec = settings.learner, data.spec
    run.tell("refitting the best on all training rows")
    loading = beside(run.spark, load_spark_model, run.uri("features", "vectorizer"))
    model = refit(winner.parameters, learner, data.folds, settings.seed)
    tables = {
        "train": model_table(model, data.folds.frame, data.folds.rows),
        "test": model_table(model, data.test, data.digests["test"].rows),
    }
    child = of.writer.run_id(winner.name)
    candidate_runs.log_winner(winner, settings.metric, run.id, child)
    log_sides(tables, [run.id, child])
    vectorizer = loading.result()
    pipeline = scoring_pipeline(vectorizer, model, spec)
    strata = leave_pipeline(run, pipeline, data, learner.name, winner.parameters, tables["test"])
    importance = column_importance(model, feature_sources(vectorizer, spec), data.folds.frame)
    charts = winner_charts(tables["train"], tables["test"], spec.labels, importance, strata)
    return tables["test"], charts


def log_sides(tables: Mapping[str, ScoreTable], run_ids: Sequence[str]) -> None:
    """Log the scores of a model on each side, and what guessing would score on the test rows."""
    for side, table in tables.items():
        tracking.log_scores(side, scores(table), run_ids)
    guess = guess_scores(label_counts(tables["test"]))
    tracking.log_scores("guess_test", guess, run_ids)


def leave_pipeline(
    run: Run,
    pipeline: PipelineModel,
    data: SearchData,
    learner: str,
    parameters: Parameters,
    test: ScoreTable,
) -> pd.DataFrame:
    """Keep a pipeline, and as a portable model too, once that scores the test rows as it does.

    Args:
        run: to keep them in.
        pipeline: raw record -> prediction and probability.
        data: whose test rows both are compared on.
        learner: its name, for the model card.
        parameters: it was fitted with these.
        test: counts of its predictions of the test rows.

    Returns:
        How the test rows of each stratum are served.
    """
    spec, spark = data.spec, data.test.sparkSession
    # Java compiles and Spark plans most of this time, each on one core.
    scoring = beside(spark, stratum_scores, pipeline, data.test, spec)
    exporting = beside(spark, export, pipeline, spec, data.test)
    # MLflow's Spark flavour answers with the prediction alone, and fails on more.
    log_spark_model(pipeline, "spark-model", spec, {"prediction": DataType.string})
    strata = scoring.result()
    model, found = exporting.result()
    names = [quoted(column.name) for column in spec.inputs]
    example = pd.DataFrame(data.test.select(*names).limit(2).toPandas())
    digests = {context: digest.content for context, digest in data.digests.items()}
    card = model_card(spec, learner, parameters, digests, test, strata, found, example)
    log_portable_model(model, "portable-model", spec, vocabulary(pipeline, spec), example, card)
    run.tell(f"portable model: {found.rows:,} test rows as by Spark, to {found.largest:.0e}")
    return strata
