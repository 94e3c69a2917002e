"""Settings that do not fit the table; each must be refused with one line."""

import numpy as np
import pandas as pd

from .signal import ordinary
from .table import bad_input

WEIGHTED = "name: weighted\nlabel: churned\ncolumns:\n  - {name: months, role: weight}\n"


@bad_input("the positive value does not occur", "churned", "positive", "maybe", positive="maybe")
def unknown_positive(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return ordinary(rng)


@bad_input(
    "task=binary, and the label has three values",
    "plan",
    "task",
    "binary",
    "plan",
    "multiclass",
    task="binary",
)
def binary_of_three(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return ordinary(rng)


@bad_input(
    "task=binary, and the label is a number",
    "charges",
    "task",
    "binary",
    "charges",
    "regression",
    task="binary",
)
def binary_of_numbers(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return ordinary(rng)


@bad_input(
    "task=multiclass, and the label has two values",
    "churned",
    "task",
    "multiclass",
    "binary",
    task="multiclass",
)
def multiclass_of_two(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return ordinary(rng)


@bad_input(
    "task=regression, and the label is text", "churned", "task", "regression", "binary", task="regression"
)
def regression_of_text(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return ordinary(rng)


@bad_input(
    "a positive value, and the label is a number", "charges", "positive", "20", "number", positive="20"
)
def positive_of_numbers(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return ordinary(rng)


@bad_input(
    "a negative weight",
    "churned",
    "months",
    "-1",
    "weight",
    "0 or more",
    dataset="{folder}/weighted.yaml",
    beside={"weighted.yaml": WEIGHTED},
)
def negative_weight(rng: np.random.Generator) -> pd.DataFrame:
    """One of the weights is below zero."""
    frame = ordinary(rng)
    frame.loc[17, "months"] = -1
    return frame


@bad_input("a learner that lacks the task", "plan", "learner", "gbt", "multiclass", "xgboost", by="main")
def learner_lacks_task(rng: np.random.Generator) -> pd.DataFrame:
    """Three classes for a learner of two."""
    return ordinary(rng)


@bad_input(
    "a metric that the task lacks", "churned", "metric", "rmse", "roc_auc", by="main", metric="rmse"
)
def metric_lacks_task(rng: np.random.Generator) -> pd.DataFrame:
    """An error of numbers for two labels."""
    return ordinary(rng)


@bad_input(
    "a gate that the task lacks", "churned", "gates", "rmse", "roc_auc", by="main", gates='{"rmse": 1}'
)
def gate_lacks_task(rng: np.random.Generator) -> pd.DataFrame:
    """An error of numbers for two labels."""
    return ordinary(rng)


@bad_input(
    "balanced labels, and the label is a number",
    "charges",
    "balance",
    "regression",
    by="main",
    balance="true",
)
def balance_of_numbers(rng: np.random.Generator) -> pd.DataFrame:
    """There are no labels to weigh."""
    return ordinary(rng)


@bad_input(
    "missing=native for a learner that takes no missing numbers",
    "churned",
    "missing",
    "native",
    "gbt",
    "xgboost",
    by="main",
    missing="native",
)
def native_for_trees(rng: np.random.Generator) -> pd.DataFrame:
    """Spark's trees take none."""
    return ordinary(rng)


@bad_input("strata of no column", "churned", "strata", "tariff", "plan", by="split", strata="tariff")
def no_such_stratum(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return ordinary(rng)


@bad_input(
    "strata of one row each, so no row is for training",
    "churned",
    "strata",
    "0 training rows",
    by="split",
    strata="months,charges,plan",
)
def strata_of_one_row(rng: np.random.Generator) -> pd.DataFrame:
    """Of one row, the floor of seven tenths is none."""
    return ordinary(rng).drop_duplicates(["months", "charges", "plan"])


@bad_input(
    "more folds than rows of the rarer label", "churned", "folds", "between 2 and 4", "got 5", by="main"
)
def too_many_folds(rng: np.random.Generator) -> pd.DataFrame:
    """Six positive rows, four of which are for training."""
    frame = ordinary(rng)
    yes = frame["churned"] == "Yes"
    return pd.concat([frame[~yes], frame[yes].head(6)], ignore_index=True)
