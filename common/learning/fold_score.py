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
    """

    scores: dict[str, float]
    curve: Curve | None


def fold_score(table: Table) -> FoldScore:
    """Return what is kept of a table of counts."""
    return FoldScore(scores(table), curve(table) if isinstance(table, ScoreTable) else None)
