"""Trees of a booster in Spark's terms: thresholds of the features themselves, and variance in each node.

The module imports neither Spark nor XGBoost, so that a fit's trees can go from a worker to the driver.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.search.engines.boosting.matrix import Cuts

# In place of a leaf's feature, children and gain; Spark's own.
NONE = -1


@dataclass(frozen=True)
class Shape:
    """The splits and leaves of a tree, node by node: first a node, then its left side, then its right.

    Attributes:
        node: The number that the booster gives to each node.
        feature: The feature that it splits; NONE for a leaf.
        threshold: A row goes left if the feature's value is at most this.
        left, right: Its children; NONE for a leaf.
        leaf: The leaf's value in the booster; 0 for other nodes.
    """

    node: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray


@dataclass(frozen=True)
class SparkTree:
    """A tree of Spark, node by node in the order of its shape.

    Attributes:
        shape: Its splits.
        prediction: Mean of what the tree was fitted to; of a leaf, what it predicts.
        impurity: Variance of what the tree was fitted to.
        gain: By how much the split lowers the variance; NONE for a leaf.
        stats: Weight of the rows, and the sums of what the tree was fitted to and of its squares.
        rows: Number of rows.
    """

    shape: Shape
    prediction: np.ndarray
    impurity: np.ndarray
    gain: np.ndarray
    stats: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class WholeFit:
    """A model that was fitted on all training rows by Spark's rule.

    Attributes:
        trees: Its trees, in Spark's terms.
        weights: Their weights.
        features: Number of features.
        booster: The same trees in XGBoost's form.
        cuts: How features become the bin numbers that the booster takes.
        middle, unit: A prediction is middle + unit times the booster's margin; of two labels 0 and 1.
    """

    trees: Sequence[SparkTree]
    weights: Sequence[float]
    features: int
    booster: bytes
    cuts: Cuts
    middle: float
    unit: float


def shape_of(tree: Mapping[str, Any], cuts: Cuts) -> Shape:
    """Return a tree of a booster of bin numbers with the thresholds of the features themselves.

    Args:
        tree: The tree as XGBoost saves it.
        cuts: The bins.

    Source: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
    """
    number_at = {int(place): number for number, place in enumerate(cuts.places)}
    found: list[list[float]] = []

    def add(node: int) -> int:
        place = len(found)
        left, right = tree["left_children"][node], tree["right_children"][node]
        # For a leaf, this field has the leaf's value.
        condition = float(np.float32(tree["split_conditions"][node]))
        if left == NONE:
            found.append([node, NONE, 0.0, NONE, NONE, condition])
            return place
        feature = tree["split_indices"][node]
        if feature in number_at:
            # Bins below the condition go left.
            threshold = float(cuts.numbers[number_at[feature]][int(np.ceil(condition)) - 1])
        else:
            threshold = float(cuts.values[feature]) / 2
            has_left = float(cuts.one[feature]) < condition
            assert has_left != bool(tree["default_left"][node]), "an indicator's split parts the rows"
            # In Spark the lower value goes left; in the booster the indicator may go either way.
            if has_left != (cuts.values[feature] < 0):
                left, right = right, left
        row = [node, feature, threshold, NONE, NONE, 0.0]
        found.append(row)
        row[3], row[4] = add(left), add(right)
        return place

    add(0)
    node, feature, threshold, to_left, to_right, leaf = np.array(found).T
    whole = [column.astype(np.int32) for column in (node, feature, to_left, to_right)]
    return Shape(whole[0], whole[1], threshold, whole[2], whole[3], leaf)


def spark_tree(
    shape: Shape, sums: np.ndarray, rows: np.ndarray, weight: float, middle: float, unit: float
) -> SparkTree:
    """Return a tree with the statistics of its nodes, which are sums over their leaves.

    Args:
        shape: The tree's splits.
        sums: For each leaf, weight of the rows, and the sums of what the tree was fitted to and of its
            squares; zeros for other nodes.
        rows: For each leaf, the number of rows; 0 for other nodes.
        weight: The tree's weight, by which the booster has multiplied its leaves.
        middle: What was taken from the number that the tree was fitted to.
        unit: What it was divided by then.
    """
    sums, rows = sums.copy(), rows.copy()
    inner = np.flatnonzero(shape.feature != NONE)
    for node in inner[::-1]:
        sides = [shape.left[node], shape.right[node]]
        sums[node], rows[node] = sums[sides].sum(axis=0), rows[sides].sum()
    total, first, second = sums.T
    # A leaf may have only rows without weight.
    some = np.maximum(total, np.finfo(float).tiny)
    mean, variance = first / some, (second - first * first / some) / some
    gain = np.full(len(rows), float(NONE))
    of_sides = [
        total[side] / some[inner] * variance[side] for side in (shape.left[inner], shape.right[inner])
    ]
    gain[inner] = variance[inner] - sum(of_sides)
    stats = [total, unit * first + middle * total]
    stats.append(unit * unit * second + 2 * middle * unit * first + middle * middle * total)
    said = np.where(shape.feature == NONE, shape.leaf / weight, mean)
    gain[inner] *= unit * unit
    return SparkTree(
        shape, middle + unit * said, unit * unit * variance, gain, np.stack(stats, axis=1), rows
    )
