"""What must be known of a model beside its scores: weights, probabilities, units, rows and columns."""

import json
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from common.data.readable import told_apart
from common.data.repeated import Repeated
from common.data.shares import percent
from common.data.spec import DatasetSpec
from common.data.target import REGRESSION
from common.learning.boosting_rule import XGBOOST
from common.learning.metrics import ScoreTable, calibration
from common.learning.number_metrics import NumberTable
from common.learning.tasks import Table, guess_scores, labels_of, scores

# A mean probability that is further from the share of the label did not come about by chance.
STANDARD_ERRORS = 4
# XGBoost computes in single precision and drops gains below a millionth, which are squares of the
# numbers: it learns less of those that are spread less, or are more times as large as that. Measured.
LEAST_SPREAD, MOST_TIMES = 0.002, 300_000
# A column that tells the label outright leaves a hundredth of guessing's errors at most (of a number, of
# their squares), nearly all importance is its own, and it is not by chance that so few are left.
MOST_LEFT, LEAST_IMPORTANCE, LEAST_GUESSED = 0.01, 0.9, 20
# Weights that leave less of the rows make scores and findings those of a few rows.
LEAST_EFFECTIVE = 0.1


def caveats(
    spec: DatasetSpec,
    test: Table,
    balance: bool,
    repeated: Repeated,
    learner: str = "",
    effective: float = 1.0,
    importance: pd.Series | None = None,
) -> list[str]:
    """Return what a model's scores and probabilities do not say by themselves.

    Args:
        spec: The data set.
        test: Counts of the model's predictions on the test rows.
        balance: Whether its fits weigh labels alike.
        repeated: The rows of the data set that have an equal one.
        learner: The learner's name.
        effective: How many rows of equal weight tell as much as the weighted ones, as a share of them.
        importance: The importance of each column, in descending order, if it is known.
    """
    said = []
    if importance is not None and (tells := _tells_all(test, importance, spec)):
        said.append(tells)
    if spec.weight is not None:
        said.append(f"fits weigh each row by {spec.weight}; all scores count each row once")
        if effective < LEAST_EFFECTIVE:
            said.append(
                f"the weights of {spec.weight} are so unequal that {percent(effective, 1)} of the rows, "
                "weighed alike, would tell as much"
            )
    if balance:
        said.append(
            "fits weigh all labels alike (balance=true), so a rare label's probability is above its share"
        )
    if isinstance(test, ScoreTable) and (off := _off(test)):
        said.append(f"the probability of {spec.positive} is no frequency: {off}")
    if isinstance(test, NumberTable) and learner == XGBOOST and (unit := _unit(test)):
        said.append(f"XGBoost learns little of numbers like those of {spec.label}: {unit}")
    if repeated.is_worth_telling:
        said.append(str(repeated))
    return said


def _tells_all(test: Table, importance: pd.Series, spec: DatasetSpec) -> str:
    """Name the column that a nearly perfect model takes its answers from; nothing if there is none."""
    if not len(importance) or importance.iloc[0] < LEAST_IMPORTANCE:
        return ""
    labels = labels_of(test)
    model, guess = (_missed(one) for one in (scores(test), guess_scores(labels)))
    if not (model <= MOST_LEFT * guess and guess * labels.rows >= LEAST_GUESSED):
        return ""
    name, share = str(importance.index[0]), percent(importance.iloc[0])
    errors = "squared errors" if spec.target.task == REGRESSION else "errors"
    return (
        f"{share} of the importance is that of {name}, and {percent(model / guess, 1)} of guessing's "
        f"{errors} are left: if {name} is known only once {spec.label} is, no new row will be scored as "
        f"well; leave it out by drop: {json.dumps([name], ensure_ascii=False)} in a data set's YAML"
    )


def _missed(found: Mapping[str, float]) -> float:
    """Return the share of rows with a wrong label; of a number, the share of its variance."""
    return 1 - found["r2"] if "r2" in found else 1 - found["accuracy"]


def _off(test: ScoreTable) -> str:
    """Say by how much the mean probability misses the share of the label; nothing if it is near it."""
    whole = calibration(test, parts=1)
    mean, share, rows = float(whole.said[0]), float(whole.seen[0]), float(whole.count[0])
    error = math.sqrt(np.sum(test.count * test.probability * (1 - test.probability))) / rows
    if abs(mean - share) <= STANDARD_ERRORS * error:
        return ""
    of_model, of_label = told_apart([mean, share], lambda value, digits: f"{value:.{digits}g}", 3)
    return f"its mean on the test rows is {of_model}, and {of_label} of them have this label"


def _unit(test: NumberTable) -> str:
    """Say in which unit or from which zero numbers would suit single precision; nothing if they do."""
    rows = float(test.count.sum())
    mean = float(np.average(test.label, weights=test.count))
    spread = math.sqrt(test.label_squared.sum() / rows)
    if abs(mean) > MOST_TIMES * spread > 0:
        return f"they are {mean:.3g} on average and spread by {spread:.3g}; subtract a constant from all"
    if 0 < spread < LEAST_SPREAD:
        return f"they are spread by {spread:.3g}; give them in a smaller unit, or take another learner"
    return ""
