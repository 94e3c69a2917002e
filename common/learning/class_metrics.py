"""All metrics of a classifier of several labels, computed from one table of counts.

Accuracy, log loss and the F1, precision and recall of each label are those of Spark's
MulticlassClassificationEvaluator; macro means are taken over the labels that occur.
"""

from dataclasses import dataclass

import numpy as np

from common.learning.curves import ratio, roc_area, thresholds_of
from common.learning.metrics import EPSILON

# Higher is better, except for log_loss. roc_auc is the mean over the labels of each label's area against
# all others (one against the rest), as scikit-learn's roc_auc_score(multi_class="ovr") computes it.
CLASS_METRICS = ("log_loss", "accuracy", "roc_auc", "f1_macro", "f1_weighted", "recall_macro")


@dataclass(frozen=True)
class ClassTable:
    """Counts of the predictions of k labels.

    Attributes:
        confusion: Number of rows by true and predicted label (k x k).
        loss: Sum of -ln(probability of the true label) over all rows.
        of: Index of the label that a count of the arrays below is about, 0 to k - 1.
        probability: Predicted probability of that label.
        true: Number of rows with that label and probability.
        false: Number of rows with another label and that probability.
    """

    confusion: np.ndarray
    loss: float
    of: np.ndarray
    probability: np.ndarray
    true: np.ndarray
    false: np.ndarray


def class_scores(table: ClassTable) -> dict[str, float]:
    """Compute all CLASS_METRICS.

    A ratio whose denominator is 0 counts as 0. roc_auc is NaN unless at least two labels occur.

    Args:
        table: Counts of at least one row.
    """
    total = table.confusion.sum()
    truth, predicted = table.confusion.sum(axis=1), table.confusion.sum(axis=0)
    right = table.confusion.diagonal()
    precision, recall = ratio(right, predicted), ratio(right, truth)
    f1 = ratio(2 * precision * recall, precision + recall)
    occurs = truth > 0
    found = {
        "log_loss": table.loss / total,
        "accuracy": right.sum() / total,
        "roc_auc": one_against_rest(table),
        "f1_macro": f1[occurs].mean(),
        "f1_weighted": f1 @ truth / total,
        "recall_macro": recall[occurs].mean(),
    }
    return {name: float(found[name]) for name in CLASS_METRICS}


def one_against_rest(table: ClassTable) -> float:
    """Return the mean area under the labels' ROC curves; NaN if none of them has both kinds of rows."""
    areas = label_areas(table)
    known = areas[np.isfinite(areas)]
    return float(known.mean()) if len(known) else float("nan")


def label_areas(table: ClassTable) -> np.ndarray:
    """Return the area under each label's ROC curve against all others (k).

    It is NaN for a label that no row has, or all rows have.
    """
    return np.array([_area(table, label) for label in range(len(table.confusion))])


def _area(table: ClassTable, label: int) -> float:
    mine = table.of == label
    return roc_area(thresholds_of(table.probability[mine], table.true[mine], table.false[mine]))


def class_guess(rows: np.ndarray) -> dict[str, float]:
    """Compute the CLASS_METRICS of a baseline that knows only the frequencies of the labels.

    It predicts the most frequent label for every row, with the labels' shares as probabilities.

    Args:
        rows: Number of rows of each label (k); at least one row in total.
    """
    rows = np.asarray(rows, dtype=float)
    labels, share = len(rows), rows / rows.sum()
    confusion = np.zeros((labels, labels))
    confusion[:, int(share.argmax())] = rows
    there = rows > 0
    return class_scores(
        ClassTable(
            confusion,
            float(-(np.log(share[there]) * rows[there]).sum()),
            np.arange(labels),
            share,
            rows,
            rows.sum() - rows,
        )
    )


def class_table(label: np.ndarray, probability: np.ndarray) -> ClassTable:
    """Count predictions that are at hand as arrays.

    Args:
        label: Index of each row's true label (rows).
        probability: Predicted probability of each label (rows x k).
    """
    rows, labels = probability.shape
    label = label.astype(int)
    confusion = np.zeros((labels, labels))
    np.add.at(confusion, (label, probability.argmax(axis=1)), 1)
    true = np.maximum(probability[np.arange(rows), label], EPSILON)
    own = label[:, None] == np.arange(labels)
    return ClassTable(
        confusion,
        float(-np.log(true).sum()),
        np.tile(np.arange(labels), rows),
        probability.ravel(),
        own.ravel().astype(float),
        (~own).ravel().astype(float),
    )
