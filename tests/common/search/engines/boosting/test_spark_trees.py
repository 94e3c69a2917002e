"""A booster's trees in Spark's terms, on boosters and sums that are written by hand."""

import numpy as np
import pytest

from common.search.engines.boosting.matrix import Cuts
from common.search.engines.boosting.spark_trees import NONE, Shape, shape_of, spark_tree

# A number with thresholds 0.5 and 2.25; indicators of 1, 4 and -3; one that is constant to Spark.
CUTS = Cuts(
    places=np.array([1]),
    numbers=[np.array([0.5, 2.25])],
    one=np.array([1, 1, 1, 1, np.nan], np.float32),
    values=np.array([1.0, 0.0, 4.0, -3.0, 1.0]),
)


def stump(feature, condition, default_left):
    """A tree with one split and the leaves -1 (left) and 1."""
    return {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [feature, 0, 0],
        "split_conditions": [condition, -1.0, 1.0],
        "default_left": [default_left, 0, 0],
    }


@pytest.mark.parametrize(("condition", "threshold"), [(1.0, 0.5), (2.0, 2.25), (1.5, 2.25)])
def test_bins_below_the_condition_are_values_up_to_the_threshold(condition, threshold):
    shape = shape_of(stump(1, condition, 0), CUTS)
    assert shape.feature.tolist() == [1, NONE, NONE]
    assert shape.threshold[0] == threshold
    assert shape.leaf.tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    ("feature", "threshold", "has_left_first"), [(0, 0.5, False), (2, 2.0, False), (3, -1.5, True)]
)
def test_lower_value_of_an_indicator_goes_left(feature, threshold, has_left_first):
    """Whichever side the booster sends the rows with the indicator to."""
    has_left = shape_of(stump(feature, 2.0, 0), CUTS)
    has_right = shape_of(stump(feature, 1.0, 1), CUTS)
    assert has_left.threshold[0] == has_right.threshold[0] == threshold
    assert has_left.leaf.tolist() == ([0, -1, 1] if has_left_first else [0, 1, -1])
    assert has_right.leaf.tolist() == ([0, 1, -1] if has_left_first else [0, -1, 1])
    assert has_left.left.tolist() == [1, NONE, NONE]


def test_nodes_are_numbered_left_sides_first_whatever_their_numbers_in_the_booster():
    tree = {
        "left_children": [2, 3, -1, -1, -1],
        "right_children": [1, 4, -1, -1, -1],
        "split_indices": [1, 1, 0, 0, 0],
        "split_conditions": [1.0, 2.0, -7.0, 3.0, 5.0],
        "default_left": [0, 0, 0, 0, 0],
    }
    shape = shape_of(tree, CUTS)
    assert shape.node.tolist() == [0, 2, 1, 3, 4]
    assert shape.left.tolist() == [1, NONE, 3, NONE, NONE]
    assert shape.right.tolist() == [2, NONE, 4, NONE, NONE]
    assert shape.leaf.tolist() == [0, -7, 0, 3, 5]


def two_leaves(leaf):
    ints = [np.array(one, np.int32) for one in ([0, 1, 2], [0, NONE, NONE], [1, NONE, NONE])]
    right = np.array([2, NONE, NONE], np.int32)
    return Shape(ints[0], ints[1], np.array([0.5, 0, 0]), ints[2], right, np.array(leaf))


def test_statistics_of_a_node_are_those_of_its_rows_in_the_datas_unit():
    middle, unit, weight = 1000.0, 8.0, 0.25
    number = np.array([1003.0, 1010.0, 990.0, 1020.0, 1001.0])
    leaf, weighing = np.array([1, 1, 2, 2, 2]), np.array([1.0, 2.0, 1.0, 1.0, 0.5])
    taken = (number - middle) / unit
    each = (weighing, weighing * taken, weighing * taken**2)
    sums = np.stack([np.bincount(leaf, one, 3) for one in each], axis=1)
    means = [0.0, *(np.average(taken[leaf == side], weights=weighing[leaf == side]) for side in (1, 2))]
    shape = two_leaves(np.array(means) * weight)
    tree = spark_tree(shape, sums, np.bincount(leaf, minlength=3), weight, middle, unit)
    assert tree.rows.tolist() == [5, 2, 3]
    variances, totals = [], []
    for node, rows in enumerate((leaf > 0, leaf == 1, leaf == 2)):
        mean = np.average(number[rows], weights=weighing[rows])
        variances.append(np.average((number[rows] - mean) ** 2, weights=weighing[rows]))
        totals.append(weighing[rows].sum())
        assert tree.prediction[node] == pytest.approx(mean, rel=1e-14)
        sums_of_rows = [totals[-1], *(weighing[rows] @ number[rows] ** power for power in (1, 2))]
        assert tree.stats[node] == pytest.approx(sums_of_rows, rel=1e-14)
    assert tree.impurity == pytest.approx(variances, rel=1e-12)
    gain = variances[0] - sum(totals[side] / totals[0] * variances[side] for side in (1, 2))
    assert tree.gain == pytest.approx([gain, NONE, NONE], rel=1e-12)


def test_leaf_whose_rows_have_no_weight_has_no_variance():
    shape, sums = two_leaves([0.0, 1.0, 2.0]), np.array([[0.0, 0, 0], [0, 0, 0], [2, 6, 20]])
    tree = spark_tree(shape, sums, np.array([0, 3, 2]), 1.0, 0.0, 1.0)
    assert tree.impurity.tolist() == [1, 0, 1]
    assert tree.gain[0] == 0
    assert tree.prediction.tolist() == [3, 1, 2]
