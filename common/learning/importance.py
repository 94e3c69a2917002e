"""Importance of a record's columns to a fitted model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pyspark.ml import Model
from pyspark.ml.stat import Summarizer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.learning.vectorizer import FEATURES


def column_importance(model: Model, sources: Sequence[str], rows: DataFrame) -> pd.Series:
    """Return the importance of each column of a record, in descending order; importances sum to 1.

    For Spark's trees it is the decrease in impurity, for XGBoost's the total gain of all splits, summed
    over a column's one-hot features. For a linear model it is the standard deviation of the column's
    contribution to the margin.

    Args:
        model: A fitted classifier.
        sources: For each feature, the column that it is derived from.
        rows: The training rows; used for linear models only.
    """
    of_trees = _tree_importance(model, len(sources))
    places = pd.Series(range(len(sources))).groupby(np.asarray(sources))
    if of_trees is not None:
        found = {str(name): float(of_trees[group].sum()) for name, group in places}
    else:
        found = _linear_importance(model, {str(name): group.to_numpy() for name, group in places}, rows)
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


def _linear_importance(model: Any, places: Mapping[str, np.ndarray], rows: DataFrame) -> dict[str, float]:
    summary = rows.select(Summarizer.metrics("mean", "std").summary(F.col(FEATURES))).first()
    assert summary is not None, "an aggregate has a row"
    mean, spread = summary[0]["mean"].toArray(), summary[0]["std"].toArray()
    weight = model.coefficients.toArray()
    found = {}
    for name, group in places.items():
        if len(group) == 1:
            found[name] = float(abs(weight[group[0]]) * spread[group[0]])
        else:
            # Exactly one of the one-hot features is 1, so the mean of each is its share of the rows.
            share, adds = mean[group], weight[group]
            found[name] = float(np.sqrt(max(share @ adds**2 - (share @ adds) ** 2, 0)))
    return found
