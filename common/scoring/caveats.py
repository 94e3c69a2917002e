"""What must be known of a model beside its scores: weights, balance, probabilities, repeated rows."""

import math

import numpy as np

from common.data.repeated import Repeated
from common.data.spec import DatasetSpec
from common.learning.metrics import ScoreTable, calibration
from common.learning.tasks import Table

# A mean probability that is further from the share of the label did not come about by chance.
STANDARD_ERRORS = 4


def caveats(spec: DatasetSpec, test: Table, balance: bool, repeated: Repeated) -> list[str]:
    """Return what a model's scores and probabilities do not say by themselves.

    Args:
        spec: The data set.
        test: Counts of the model's predictions on the test rows.
        balance: Whether its fits weigh labels alike.
        repeated: The rows of the data set that have an equal one.
    """
    said = []
    if spec.weight is not None:
        said.append(f"fits weigh each row by {spec.weight}; all scores count each row once")
    if balance:
        said.append(
            "fits weigh all labels alike (balance=true), so a rare label's probability is above its share"
        )
    if isinstance(test, ScoreTable) and (off := _off(test)):
        said.append(f"the probability of {spec.positive} is no frequency: {off}")
    if repeated.is_worth_telling:
        said.append(str(repeated))
    return said


def _off(test: ScoreTable) -> str:
    """Say by how much the mean probability misses the share of the label; nothing if it is near it."""
    whole = calibration(test, parts=1)
    mean, share, rows = float(whole.said[0]), float(whole.seen[0]), float(whole.count[0])
    error = math.sqrt(np.sum(test.count * test.probability * (1 - test.probability))) / rows
    if abs(mean - share) <= STANDARD_ERRORS * error:
        return ""
    return f"its mean on the test rows is {mean:.3g}, and {share:.3g} of them have this label"
