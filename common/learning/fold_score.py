"""What an engine keeps of a candidate's predictions on one fold."""

from dataclasses import dataclass

from common.learning.metrics import ScoreTable
from common.learning.tasks import Table, scores
from common.learning.threshold import Curve, curve


@dataclass(frozen=True)
class FoldScore:
    """A candidate's predictions on the rows of a fold, which it was not fitted on.

    Attributes:
        scores: All metrics of the task.
        curve: Counts by probability, to choose a threshold from; None unless there are two labels.
        weighted_loss: The loss by which fits stop, where rows weigh differently; else None. The scores
            count each row once.
    """

    scores: dict[str, float]
    curve: Curve | None
    weighted_loss: float | None = None


def fold_score(table: Table, weighted_loss: float | None = None) -> FoldScore:
    """Return what is kept of a table of counts."""
    found = curve(table) if isinstance(table, ScoreTable) else None
    return FoldScore(scores(table), found, weighted_loss)
