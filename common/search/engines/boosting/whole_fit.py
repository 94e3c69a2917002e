"""The worker's part of a refit by the boosting engine: a fit on all rows, its trees in Spark's terms."""

import json
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
import xgboost as xgb

from common.learning.boosting_rule import BoostingRule
from common.machine.arrow_batches import table_of
from common.search.engines.boosting.fit import SPARK_LOSSES, Boosted, boosted
from common.search.engines.boosting.margins import Agreement, compared
from common.search.engines.boosting.matrix import WHOLE, Cuts, Features, FoldMatrix, Samples, sparse_rows
from common.search.engines.boosting.spark_trees import Shape, WholeFit, shape_of, spark_tree
from common.search.engines.boosting.train_matrix import train_matrix

# Leaves, of each row in each tree, that are held at once.
LEAVES_AT_ONCE = 5_000_000


def fit_whole(rule: BoostingRule, task: str, seed: int, matrix: FoldMatrix, samples: Samples) -> WholeFit:
    """Fit a model by Spark's rule on all rows of a matrix.

    Args:
        rule: The rule, one of Spark's.
        task: What is predicted.
        seed: Seed of the rule's random draws.
        matrix: All training rows.
        samples: The rows from which thresholds are chosen, with the key WHOLE.
    """
    cuts = matrix.cuts(samples.places[WHOLE], samples.rows[WHOLE], rule.max_bins)
    features, every = matrix.binned(cuts), np.arange(len(matrix.label))
    train = train_matrix(features, every, matrix.label, matrix.weight, rule)
    found = boosted(train, matrix.label, matrix.weight, rule, task, seed)
    model = json.loads(found.booster.save_raw("json"))["learner"]["gradient_booster"]["model"]
    shapes = [shape_of(tree, cuts) for tree in model["trees"]]
    weights = [1.0] + [float(rule.booster["eta"])] * (len(shapes) - 1)
    sums, rows = _leaf_sums(found, shapes, features, matrix.weight, task)
    trees = []
    for number, shape in enumerate(shapes):
        # Later trees are fitted to what is left of the number, in which there is no middle.
        middle = 0.0 if number else found.middle
        trees.append(spark_tree(shape, sums[number], rows[number], weights[number], middle, found.unit))
    raw = bytes(found.booster.save_raw("ubj"))
    return WholeFit(trees, weights, len(features.one), raw, cuts, found.middle, found.unit)


def _leaf_sums(
    found: Boosted,
    shapes: list[Shape],
    features: Features,
    weight: np.ndarray | None,
    task: str,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the leaves' sums of each tree, see `spark_tree`, and their numbers of rows.

    Of a rule that fits each tree to some of the rows, all rows are counted.
    """
    sums = [np.zeros((len(shape.node), 3)) for shape in shapes]
    rows = [np.zeros(len(shape.node), np.int64) for shape in shapes]
    loss = SPARK_LOSSES[task]
    step = max(1, LEAVES_AT_ONCE // len(shapes))
    for start in range(0, len(found.label), step):
        part = slice(start, start + step)
        number = loss.target(found.label[part]).astype(float)
        weighing = np.ones(len(number)) if weight is None else weight[part]
        margin, residual = np.zeros(len(number)), number
        for tree, leaf in enumerate(_leaves(found.booster, shapes, features.take(part).csr())):
            size = len(shapes[tree].node)
            each = (weighing, weighing * residual, weighing * residual**2)
            sums[tree] += np.stack([np.bincount(leaf, one, size) for one in each], axis=1)
            rows[tree] += np.bincount(leaf, minlength=size)
            margin += shapes[tree].leaf[leaf]
            residual = loss.residual(number, margin)
    return sums, rows


def _leaves(booster: xgb.Booster, shapes: list[Shape], features: sp.csr_matrix) -> Iterator[np.ndarray]:
    """Yield for each tree the index of each row's leaf in the tree's shape."""
    nodes = booster.predict(xgb.DMatrix(features, nthread=1), pred_leaf=True)
    nodes = nodes.reshape(features.shape[0], len(shapes)).astype(np.int32)
    for shape, found in zip(shapes, nodes.T, strict=True):
        place = np.zeros(shape.node.max() + 1, np.int32)
        place[shape.node] = np.arange(len(shape.node))
        yield place[found]


def engine_margins(booster: xgb.Booster, cuts: Cuts, features: sp.csr_matrix) -> np.ndarray:
    """Return the booster's margin of any rows, summed over its trees in double precision.

    Args:
        booster: A booster of bin numbers.
        cuts: The bins.
        features: The rows' features as Spark has them.
    """
    rows = xgb.DMatrix(cuts.binned(features), nthread=1)
    total = np.zeros(features.shape[0])
    for tree in range(booster.num_boosted_rounds()):
        total += booster.predict(rows, output_margin=True, iteration_range=(tree, tree + 1))
    return total


def compare_margins(
    batches: Iterable[bytes], schema: pa.Schema, engine: WholeFit, task: str
) -> Iterator[Agreement]:
    """Compare the margins in some batches with those that the engine computes.

    Args:
        batches: Arrow's record batches with `margin`, `prediction` and the parts of the features' vector.
        schema: The batches' schema.
        engine: The engine's model; its trees in Spark's terms are not looked at.
        task: What is predicted.
    """
    booster = xgb.Booster(model_file=bytearray(engine.booster))
    booster.set_param({"nthread": 1})
    for raw in batches:
        table = table_of(raw, schema)
        if len(table):
            margins = engine_margins(booster, engine.cuts, sparse_rows(table))
            own = engine.middle + engine.unit * margins
            yield compared(table, own, engine.unit, task, len(engine.weights))
