"""Importance of a record's columns to a fitted model."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from pyspark.ml import Model
from pyspark.ml.functions import vector_to_array
from pyspark.ml.stat import Summarizer
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.learning.vectorizer import FEATURES

# Columns whose contributions are computed in one job: the code of hundreds would not compile.
AT_ONCE = 50


def column_importance(model: Model, sources: Sequence[str], numbers: int, rows: DataFrame) -> pd.Series:
    """Return the importance of each column of a record, in descending order; importances sum to 1.

    For boosted trees it is the total gain of all splits, for a random forest the mean of its trees'
    shares, summed over a column's one-hot features. For a linear model it is the standard deviation of
    the column's contribution to the margin.

    Args:
        model: A fitted model.
        sources: For each feature, the column that it is derived from.
        numbers: How many of the features, the first, are numbers; the others are one-hot, or indices.
        rows: The training rows; used for linear models only.

    Raises:
        ValueError: The model is neither of trees nor linear.
    """
    of_trees = _tree_importance(model, len(sources))
    places = pd.Series(range(len(sources))).groupby(np.asarray(sources))
    if of_trees is not None:
        found = {str(name): float(of_trees[group].sum()) for name, group in places}
    # A model of several labels refuses to be asked for the value.
    elif "coefficients" not in dir(model):
        kind = type(model).__name__
        raise ValueError(f"how much columns matter to a {kind} is not known: say here how to measure it")
    else:
        groups = {str(name): group.to_numpy() for name, group in places}
        found = _linear_importance(model, groups, numbers, rows)
    values = pd.Series(found)
    total = values.sum()
    shares = values / total if total > 0 else values
    return shares.sort_index().sort_values(ascending=False, kind="stable")


def _tree_importance(model: Any, count: int) -> np.ndarray | None:
    if hasattr(model, "get_feature_importances"):
        found = np.zeros(count)
        for name, gain in model.get_feature_importances("total_gain").items():
            found[int(name.removeprefix("f"))] = gain
        return found
    if hasattr(model, "featureImportances"):
        return np.asarray(model.featureImportances.toArray())
    return None


def _linear_importance(
    model: Any, places: Mapping[str, np.ndarray], numbers: int, rows: DataFrame
) -> dict[str, float]:
    summary = rows.select(Summarizer.metrics("mean", "std").summary(F.col(FEATURES))).first()
    assert summary is not None, "an aggregate has a row"
    mean, spread = summary[0]["mean"].toArray(), summary[0]["std"].toArray()
    # One row of weights a margin: of several labels each has its own.
    several = getattr(model, "numClasses", 2) > 2
    weights = model.coefficientMatrix.toArray() if several else model.coefficients.toArray()[None, :]
    joint = {name: group for name, group in places.items() if len(group) > 1 and group[0] < numbers}
    each = [
        {
            name: _of_categories(weight[group], mean[group])
            if group[0] >= numbers and len(group) > 1
            else float(abs(weight[group[0]]) * spread[group[0]])
            for name, group in places.items()
            if name not in joint
        }
        | _of_several(weight, joint, rows)
        for weight in weights
    ]
    return {name: float(np.mean([one[name] for one in each])) for name in places}


def _of_several(
    weight: np.ndarray, places: Mapping[str, np.ndarray], rows: DataFrame
) -> dict[str, float]:
    """Return the standard deviation of what columns of several numbers contribute to a margin.

    The parts of a date go together: its year and its days may have large weights that cancel.
    """
    cells = vector_to_array(F.col(FEATURES))
    found: dict[str, float] = {}
    every = list(places)
    for names in (every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE)):
        sums = [
            reduce(Column.__add__, [cells[int(p)] * float(weight[p]) for p in places[n]]) for n in names
        ]
        spread = rows.agg(*[F.stddev_samp(one) for one in sums]).first() or ()
        found |= dict(zip(names, (float(one or 0) for one in spread), strict=True))
    return found


def _of_categories(weight: np.ndarray, share: np.ndarray) -> float:
    """Return the standard deviation of what one-hot features contribute to a margin.

    Exactly one of them is 1, so the mean of each is its share of the rows.
    """
    return float(np.sqrt(max(share @ weight**2 - (share @ weight) ** 2, 0)))
