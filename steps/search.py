"""What train_grid and train_ga share: candidates tracked as they come, and the winner's leavings."""

from collections.abc import Iterator

import click
import mlflow
from mlflow.types import DataType
from mlflow.types.schema import SparkMLVector
from pyspark.sql import DataFrame

from common import tracking
from common.datasets import DatasetSpec
from common.learners import Learner
from common.row_hash import frame_digest, quoted
from common.search.folds import FoldData
from common.search.result import CandidateResult, candidates_table, ranked
from common.search.winner import model_scores, refit, scoring_pipeline
from steps.progress import show_progress
from steps.step import Run


def log_search_data(run: Run, spec: DatasetSpec, train: DataFrame, test: DataFrame) -> None:
    """Log the rows that go into a search, and tag it with their digests."""
    for side, frame, context in (("train", train, "training"), ("test", test, "test")):
        digest = frame_digest(frame.select(*[quoted(name) for name in spec.names]))
        tracking.log_data(frame, spec, run.uri("features", side), digest, context)
        run.tag(**{f"{side}_digest": digest})
    run.tag(dataset=spec.name, label_0=spec.labels[0], label_1=spec.labels[1])


def track(
    run: Run,
    found: Iterator[CandidateResult],
    total: int,
    metric: str,
    constants: dict[str, object],
) -> dict[str, CandidateResult]:
    """Write each candidate the moment it is scored; return them by the ids of their runs."""
    parent = mlflow.get_run(run.id)
    return {
        tracking.log_candidate(result, parent, constants): result
        for result in show_progress(found, total, metric)
    }


def leave_winner(
    run: Run,
    spec: DatasetSpec,
    learner: Learner,
    candidates: dict[str, CandidateResult],
    data: FoldData,
    test: DataFrame,
    metric: str,
    seed: int,
) -> None:
    """Refit the best candidate on all training rows, score it on both sides, and keep it all."""
    results = list(candidates.values())
    winner = ranked(results, metric)[0]
    child = next(run_id for run_id, result in candidates.items() if result is winner)
    run.log_table("candidates.csv", candidates_table(results, metric))
    tracking.log_winner(winner, run.id, child)
    model = refit(winner.parameters, learner, data, seed)
    sides = {"train": model_scores(model, data.frame), "test": model_scores(model, test)}
    for side, scores in sides.items():
        tracking.log_scores(side, scores, [run.id, child])
    vectorizer = tracking.load_spark_model(run.uri("features", "vectorizer"))
    pipeline = scoring_pipeline(vectorizer, model, spec)
    outputs = {"prediction": DataType.string, "probability": SparkMLVector()}
    tracking.log_spark_model(pipeline, "spark-model", spec, outputs)
    run.log_dataset(spec)
    click.echo(
        f"best of {len(results)}: {winner.name}; {metric} {winner.mean(metric):.4f} "
        f"+- {winner.std(metric):.4f} over folds, {sides['test'][metric]:.4f} on the test rows"
    )
