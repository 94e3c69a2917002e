"""What train_grid and train_ga share: candidates tracked as they come, and the winner's leavings."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import click
import mlflow
import pandas as pd
from mlflow.types import DataType
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from common.data.row_hash import Digest, frame_digests, quoted
from common.data.spec import DatasetSpec
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
from common.search.engines.choice import Engine, choose_engine, make_engine
from common.search.findings.candidates import Candidates, parse_candidates
from common.search.findings.find import find, grid_yaml
from common.search.findings.words import headline, markdown
from common.search.folds import FOLD_RANK, FoldData, fold_data
from common.search.result import (
    CandidateFailure,
    CandidateResult,
    Outcome,
    candidate_name,
    candidates_table,
    ranked,
)
from common.search.winner import model_table, refit, scoring_pipeline
from common.store import candidate_runs, tracking
from common.store.candidate_runs import CandidateWriter, GenerationRun, TrackedCandidate
from common.store.portable_models import log_portable_model
from common.store.spark_models import load_spark_model, log_spark_model
from common.store.workflow_runs import source_of
from steps.progress import Progress
from steps.step import Run


@dataclass
class Search:
    """A search under way: what scores its candidates, and where they are written.

    Attributes:
        earlier: candidates that a killed search of the same work had finished, by name.
        outcomes: all so far, by name.
    """

    run: Run
    engine: Engine
    writer: CandidateWriter
    progress: Progress
    earlier: Mapping[str, TrackedCandidate]
    outcomes: dict[str, Outcome]

    def evaluate(self, candidates: Sequence[Parameters], parent: str | None = None) -> dict[str, Outcome]:
        """Score candidates, have each written below `parent`, and return their outcomes by name."""
        found = {}
        for outcome in self._outcomes(candidates, parent):
            self.progress.show(outcome)
            found[outcome.name] = outcome
        self.outcomes |= found
        return found

    def generation(self, number: int) -> AbstractContextManager[GenerationRun]:
        """Open the run of a generation, below this search."""
        return candidate_runs.generation_run(self.writer.search, number)

    def _outcomes(self, candidates: Sequence[Parameters], parent: str | None) -> Iterator[Outcome]:
        left = []
        for candidate in candidates:
            known = self.earlier.get(candidate_name(candidate))
            if known is None:
                left.append(candidate)
            else:
                self.writer.add(known, parent)
                yield known.result
        for outcome in self.engine.evaluate(left) if left else ():
            self.writer.add(outcome, parent)
            yield outcome


@dataclass(frozen=True)
class SearchData:
    """The rows of a search: training rows in folds, and the test rows."""

    spec: DatasetSpec
    folds: FoldData
    test: DataFrame
    digests: Mapping[str, Digest]


def search_data(run: Run, folds: int) -> SearchData:
    """Read the rows that go into a search; log them, and tag the run with their digests."""
    spec = run.dataset("features")
    train, test = run.frame("features", "train"), run.frame("features", "test")
    in_folds = fold_data(train, folds)
    of_train, of_folds = frame_digests(train, spec.names, [*spec.names, FOLD_RANK])
    (of_test,) = frame_digests(test, spec.names)
    for side, frame, digest, context in (
        ("train", train, of_train, "training"),
        ("test", test, of_test, "test"),
    ):
        tracking.log_data(frame, spec, run.uri("features", side), digest.content, context)
        run.tag(**{f"{side}_digest": digest.content})
    tracking.log_scores("guess_val", guess_scores(in_folds.label_rows), [run.id])
    run.tag(dataset=spec.name, label_0=spec.labels[0], label_1=spec.labels[1])
    run.tag(source=source_of(run.uri("features")), folds_digest=f"{of_folds.content}:{folds}")
    return SearchData(spec, in_folds, test, {"training": of_train, "test": of_test})


@dataclass(frozen=True)
class Settings:
    """How candidates are scored, as the options of both searches say."""

    learner: Learner
    engine: str
    metric: str
    seed: int
    parallelism: int


@contextmanager
def open_search(
    run: Run, settings: Settings, data: FoldData, names: Sequence[str], total: int
) -> Iterator[Search]:
    """Choose the engine and open the store's writer; on leaving, all candidates are written."""
    learner = settings.learner
    choice = choose_engine(learner, settings.engine, names, data)
    run.tag(learner=learner.name, engine=choice.engine, engine_reason=choice.reason)
    run.tag(folds=data.folds, seed=settings.seed, metric=settings.metric)
    click.echo(f"engine {choice.engine}: {choice.reason}")
    this = mlflow.get_run(run.id)
    earlier = candidate_runs.unfinished_candidates(this, learner)
    if earlier:
        click.echo(f"taking up {len(earlier)} candidates that an earlier run had finished")
    constants = {"learner": learner.name, "engine": choice.engine, "folds": data.folds}
    engine = make_engine(choice.engine, data, learner, settings.seed, settings.parallelism)
    guess = guess_scores(data.label_rows)
    with (
        CandidateWriter(this, constants) as writer,
        Progress(run.step, total, settings.metric, guess[settings.metric]) as progress,
    ):
        yield Search(run, engine, writer, progress, earlier, {})


def leave_winner(
    search: Search,
    data: SearchData,
    settings: Settings,
    generations: Mapping[str, Sequence[int]] | None = None,
) -> None:
    """Leave the candidates, what was found, and the best of them, refitted on all training rows.

    Args:
        search: whose candidates are all scored.
        data: the rows.
        settings: how they were scored.
        generations: of a genetic search: by a candidate's name the generations that drew it.

    Raises:
        UserError: every candidate failed.
    """
    run, metric = search.run, settings.metric
    results = [o for o in search.outcomes.values() if isinstance(o, CandidateResult)]
    failures = [o for o in search.outcomes.values() if not isinstance(o, CandidateResult)]
    if not results:
        raise UserError(f"all {len(failures)} candidates failed, the first by: {failures[0].error}")
    winner = ranked(results, metric)[0]
    table = candidates_table(results, metric, failures, generations)
    run.log_table("candidates.csv", table)
    candidates = parse_candidates(table.to_csv(index=False))
    # Spark's refit leaves this process waiting.
    charts = search_charts(candidates)
    drawing = beside(run.spark, stills, charts)
    _leave_findings(run, candidates, settings.learner)
    test, of_winner = _leave_model(search, data, settings, winner)
    guess = guess_scores(label_counts(test))
    pictures = drawing.result() | stills(of_winner)
    shown = page(f"{run.step} of {data.spec.name}", [*charts, *of_winner])
    run.log_files("plots", {**pictures, PAGE: shown.encode()})
    run.log_dataset(data.spec)
    click.echo(
        f"best of {len(results)}: {winner.name}; {metric} {winner.mean(metric):.4f} "
        f"+- {winner.std(metric):.4f} over folds; {told(metric, scores(test), guess)} on the test rows"
    )
    if failures:
        _tell_failures(run, failures)


def _tell_failures(run: Run, failures: Sequence[CandidateFailure]) -> None:
    run.tag(failed_candidates=len(failures))
    first = failures[0]
    click.echo(f"{len(failures)} candidates failed, the first ({first.name}) by: {first.error}", err=True)


def _leave_findings(run: Run, candidates: Candidates, learner: Learner) -> None:
    found = find(candidates, learner.parameters)
    text = markdown(found)
    run.log_text("findings.md", text)
    run.log_text("next_grid.yaml", grid_yaml(found))
    # Without its title: the page shows the first lines alone until it is asked for more.
    run.describe(text.partition("\n\n")[2])
    click.echo(f"findings: {headline(found)}; next grid: {run.artifact_uri('next_grid.yaml')}")


def _leave_model(
    search: Search, data: SearchData, settings: Settings, winner: CandidateResult
) -> tuple[ScoreTable, list[Chart]]:
    """Refit the winner, score it on both sides and keep it; return its test table and pictures."""
    run, learner, spec = search.run, settings.learner, data.spec
    click.echo(f"refitting {winner.name} on all training rows")
    loading = beside(run.spark, load_spark_model, run.uri("features", "vectorizer"))
    model = refit(winner.parameters, learner, data.folds, settings.seed)
    tables = {
        "train": model_table(model, data.folds.frame, data.folds.rows),
        "test": model_table(model, data.test, data.digests["test"].rows),
    }
    child = search.writer.run_id(winner.name)
    candidate_runs.log_winner(winner, settings.metric, run.id, child)
    log_sides(tables, [run.id, child])
    vectorizer = loading.result()
    pipeline = scoring_pipeline(vectorizer, model, spec)
    strata = leave_pipeline(pipeline, data, learner.name, winner.parameters, tables["test"])
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
    pipeline: PipelineModel,
    data: SearchData,
    learner: str,
    parameters: Parameters,
    test: ScoreTable,
) -> pd.DataFrame:
    """Keep a pipeline, and as a portable model too, once that scores the test rows as it does.

    Args:
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
    click.echo(f"portable model: {found.rows:,} test rows as by Spark, to {found.largest:.0e}")
    return strata
