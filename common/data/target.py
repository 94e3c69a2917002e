"""What a data set's rows are to be used for: the task, and the labels to predict."""

from dataclasses import dataclass

BINARY, MULTICLASS, REGRESSION = "binary", "multiclass", "regression"
TASK_NAMES = (BINARY, MULTICLASS, REGRESSION)


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Attributes:
        task: BINARY (one of two labels), MULTICLASS (one of several) or REGRESSION (a number).
        labels: The labels' texts, whose positions are their indices; empty for REGRESSION. Of two, the
            second is the positive one.
    """

    task: str
    labels: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Number of labels; 0 for REGRESSION."""
        return len(self.labels)


def predicted(task: str, labels: int) -> str:
    """Say what is predicted: `a number`, `one of two labels`, `one of 7 labels`.

    Args:
        task: The task.
        labels: Number of labels; of no matter for REGRESSION.
    """
    if task == REGRESSION:
        return "a number"
    return f"one of {'two' if labels == 2 else labels} labels"


TWO = Target(BINARY, ("0", "1"))
