"""The same rows scored in three ways: by the Spark pipeline, by predict and by the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import requests
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.scoring.added import MODEL
from tests.odd_tables import BINARY, REGRESSION, Form

from .own_project import OwnProject
from .served import Service

CLOSE = 1e-5  # of a probability, or of a number relative to the largest


@dataclass(frozen=True)
class Scores:
    """Scored rows.

    Attributes:
        said: The prediction of each row: a label's text, or a number.
        values: An array (rows,): the positive label's probability, or the number; for several classes
            an array (rows, labels) of probabilities.
    """

    said: list[Any]
    values: np.ndarray


def by_pipeline(rows: DataFrame, uri: str, task: str) -> Scores:
    """Score rows by the winner's Spark pipeline.

    Args:
        rows: The rows as the split kept them.
        uri: URI of the pipeline.
        task: binary, multiclass or regression.
    """
    found = mlflow.spark.load_model(uri).transform(rows)
    if task == REGRESSION:
        numbers = found.select("prediction").toPandas()["prediction"]
        return Scores(numbers.tolist(), numbers.to_numpy(float))
    both = found.select("prediction", vector_to_array(F.col("probability")).alias("all")).toPandas()
    values = np.stack(both["all"].to_list())
    return Scores(both["prediction"].tolist(), values[:, 1] if task == BINARY else values)


def by_batch(
    project: OwnProject, model: str, source: Path, output: Path, task: str, labels: Sequence[str]
) -> Scores:
    """Score a file by the command predict.

    Args:
        project: The project.
        model: URI of the model.
        source: The file.
        output: The folder to write.
        task: binary, multiclass or regression.
        labels: The labels in the model's order.

    Raises:
        CommandFailed: The command failed.
    """
    project.run("predict", input=source, output=output, model=model)
    # Spark names the parts in the order of the rows.
    parts = [pd.read_parquet(part) for part in sorted(output.glob("part-*"))]
    return _scores(pd.concat(parts, ignore_index=True), task, labels)


def by_service(service: Service, source: Path, form: Form, task: str, labels: Sequence[str]) -> Scores:
    """Score a file by one request to the service.

    Args:
        service: The service.
        source: The file.
        form: The form of the file.
        task: binary, multiclass or regression.
        labels: The labels in the model's order.

    Raises:
        ValueError: The service refused the request.
    """
    kind = {"Content-Type": form.content_type}
    answer = requests.post(f"{service.url}/invocations", form.body(source), headers=kind, timeout=120)
    if not answer.ok:
        raise ValueError(f"service: {answer.text[:500]}")
    return _scores(pd.DataFrame(answer.json()["predictions"]), task, labels)


def difference(one: Scores, other: Scores) -> str:
    """Return in what the scores of the same rows differ, in words; empty if they agree."""
    if len(one.said) != len(other.said):
        return f"{len(one.said)} rows and {len(other.said)} rows"
    has_labels = isinstance(other.said[0], str)
    size = 1 if has_labels else np.abs(other.values).max()
    apart = np.abs(one.values - other.values).max()
    # Not `>`, since NaN differs from everything.
    if not apart <= CLOSE * size:
        return f"values up to {apart:.2g} apart"
    changed = sum(a != b for a, b in zip(one.said, other.said, strict=True)) if has_labels else 0
    return f"{changed} labels differ" if changed else ""


def _scores(found: pd.DataFrame, task: str, labels: Sequence[str]) -> Scores:
    """Return the scores in the columns that predict and the service give.

    Beside a column of the file that is called like one of them, all begin with MODEL.
    """
    if f"{MODEL}prediction" in found:
        found = found.filter(regex=f"^{MODEL}").rename(columns=lambda name: name.removeprefix(MODEL))
    said = found["prediction"].tolist()
    if task == REGRESSION:
        return Scores(said, found["prediction"].to_numpy(float))
    if task == BINARY:
        return Scores(said, found["probability"].to_numpy(float))
    return Scores(said, found[[f"probability_{label}" for label in labels]].to_numpy(float))
