"""The trees of a fitted model as arrays, in the order in which the model adds them up."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pyspark import SparkContext

# The comparison with a node's threshold that sends a row to the left.
AT_MOST, BELOW = "at_most", "below"


@dataclass
class Forest:
    """Binary trees whose leaf values are summed over the trees.

    A child that is 0 or more is the index of a node; a negative one is the leaf ~child.

    Attributes:
        rule: AT_MOST or BELOW: a row goes left if its value is at most, or below, the threshold.
        dtype: Type of the thresholds, the leaves and their sum, as in the model.
        roots: Root node of each tree.
        feature, threshold, left, right: Feature, threshold and children of each node.
        missing_left: For each node, whether a row whose value is NaN goes left.
        leaves: Values of each leaf, one for each sum.
    """

    rule: str
    dtype: type
    roots: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    leaves: list[tuple[float, ...]] = field(default_factory=list)

    def add_leaf(self, *values: float) -> int:
        """Add a leaf, and return it as a child: ~index."""
        self.leaves.append(values)
        return ~(len(self.leaves) - 1)

    def add_node(self, feature: int, threshold: float, missing_left: bool = False) -> int:
        """Add a node whose children are not set yet, and return its index."""
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.missing_left.append(missing_left)
        self.left.append(0)
        self.right.append(0)
        return len(self.feature) - 1

    def add_tree(self, root: int) -> None:
        """Add a tree whose root is a node or a single leaf."""
        if root < 0:
            leaf, root = root, self.add_node(0, 0.0)
            self.left[root] = self.right[root] = leaf
        self.roots.append(root)


# A node of a Spark model as its saved form has it.
Node = Mapping[str, Any]


def spark_forest(model: Any, leaf: Callable[[Node, int], tuple[float, ...]]) -> Forest:
    """Read the trees of a Spark model, each by one call.

    The JVM writes the nodes as JSON, in which a double keeps every digit. To read them one by one, by
    public methods, takes half a millisecond for each; and files would be needed in a place that both the
    driver and the cluster can reach.

    Source: Spark's `DecisionTreeModelReadWrite`, the nodes' form in saved models.

    Args:
        model: A Spark model with trees.
        leaf: A function from a leaf and the number of its tree to the leaf's values.

    Raises:
        ValueError: A split is categorical, which only happens if the features' metadata ask for it.
    """
    forest = Forest(AT_MOST, np.float64)
    read = _node_reader()
    for number, tree in enumerate(model._java_obj.trees()):
        forest.add_tree(_add_spark_node(forest, read(tree.rootNode()), 0, number, leaf))
    return forest


def _node_reader() -> Callable[[Any], Sequence[Node]]:
    """Return a function from a tree's root (a Java object) to its nodes, of which each is at its id."""
    context = SparkContext._active_spark_context
    assert context is not None, "a model of Spark is of a session"
    jvm: Any = context._jvm
    jackson = jvm.com.fasterxml.jackson
    mapper = jackson.databind.ObjectMapper()
    mapper.registerModule(jackson.module.scala.DefaultScalaModule())
    visible = getattr(jackson.annotation, "JsonAutoDetect$Visibility")
    access = jackson.annotation.PropertyAccessor
    # A method of a leaf's split would be taken for a field, and fails.
    mapper.setVisibility(access.ALL, visible.NONE)
    mapper.setVisibility(access.FIELD, visible.ANY)
    data = getattr(jvm.org.apache.spark.ml.tree, "DecisionTreeModelReadWrite$NodeData$")
    build = getattr(data, "MODULE$").build

    def read(root: Any) -> Sequence[Node]:
        nodes: list[Node] = json.loads(mapper.writeValueAsString(build(root, 0)._1()))
        return sorted(nodes, key=lambda node: int(node["id"]))

    return read


def _add_spark_node(
    forest: Forest,
    nodes: Sequence[Node],
    at: int,
    number: int,
    leaf: Callable[[Node, int], tuple[float, ...]],
) -> int:
    node = nodes[at]
    if node["leftChild"] < 0:
        return forest.add_leaf(*leaf(node, number))
    split = node["split"]
    if split["numCategories"] >= 0:
        raise ValueError(f"tree {number} splits feature {split['featureIndex']} by categories")
    (threshold,) = split["leftCategoriesOrThreshold"]
    place = forest.add_node(split["featureIndex"], threshold)
    forest.left[place] = _add_spark_node(forest, nodes, node["leftChild"], number, leaf)
    forest.right[place] = _add_spark_node(forest, nodes, node["rightChild"], number, leaf)
    return place


def gbt_forest(model: Any) -> Forest:
    """Read a GBTClassificationModel or a GBTRegressionModel; the sum is its margin, or its number."""
    weights = model.treeWeights
    return spark_forest(model, lambda node, tree: (node["prediction"] * weights[tree],))


def random_forest(model: Any) -> Forest:
    """Read a RandomForestClassificationModel; the sums are the votes for each label."""

    def votes(node: Node, _: int) -> tuple[float, ...]:
        stats = node["impurityStats"]
        total = sum(stats)
        return tuple(value / total if total else 0.0 for value in stats)

    return spark_forest(model, votes)


def forest_of_numbers(model: Any) -> Forest:
    """Read a RandomForestRegressionModel; the sum is that of its trees' numbers."""
    return spark_forest(model, lambda node, _: (node["prediction"],))


# XGBoost's objectives, and the margin that a row starts from, given the booster's base score.
LOGISTIC, SOFTPROB, SQUARED_ERROR = "binary:logistic", "multi:softprob", "reg:squarederror"
BASE: Mapping[str, Callable[[np.float32], float]] = {
    LOGISTIC: lambda base: float(-np.log(np.float32(1) / base - np.float32(1))),
    SOFTPROB: float,
    SQUARED_ERROR: float,
}


def xgboost_forests(booster: Any) -> tuple[str, list[Forest]]:
    """Read a booster; the sum of each forest, in the booster's single precision, is one of its margins.

    The first tree is a single leaf, the base margin that all rows start from. The booster starts from it
    too: in single precision, another order of summation would change the sum.

    Source: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html

    Returns:
        The booster's objective, one of those in BASE, and its forests: one for each label of SOFTPROB,
        else one.

    Raises:
        ValueError: The booster has another objective, or a tree splits by categories.
    """
    learner = json.loads(booster.save_raw("json"))["learner"]
    objective = learner["objective"]["name"]
    if objective not in BASE:
        raise ValueError(f"a booster has the objective {objective}; supported: {', '.join(BASE)}")
    described, model = learner["learner_model_param"], learner["gradient_booster"]["model"]
    margins = max(int(described["num_class"]), 1)
    bases = [np.float32(text) for text in described["base_score"].strip("[]").split(",")]
    # After early stopping, a booster contains more rounds than it predicts with.
    rounds = len(model["trees"]) // margins
    rounds = int(booster.attributes().get("best_iteration", rounds - 1)) + 1
    forests = []
    for base in bases if len(bases) == margins else bases * margins:
        forest = Forest(BELOW, np.float32)
        forest.add_tree(forest.add_leaf(BASE[objective](base)))
        forests.append(forest)
    for tree, of in list(zip(model["trees"], model["tree_info"], strict=True))[: rounds * margins]:
        _add_xgboost_tree(forests[of], tree)
    return objective, forests


def _add_xgboost_tree(forest: Forest, tree: dict[str, Any]) -> None:
    if any(tree["split_type"]):
        raise ValueError("a tree splits by categories")

    def add(node: int) -> int:
        # For a leaf, the threshold's field holds the leaf's value.
        if tree["left_children"][node] == -1:
            return forest.add_leaf(tree["split_conditions"][node])
        place = forest.add_node(
            tree["split_indices"][node], tree["split_conditions"][node], bool(tree["default_left"][node])
        )
        forest.left[place] = add(tree["left_children"][node])
        forest.right[place] = add(tree["right_children"][node])
        return place

    forest.add_tree(add(0))
