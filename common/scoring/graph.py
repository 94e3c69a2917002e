"""Builder of ONNX graphs, operator by operator."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common.scoring.serving.scorer import INPUT
from common.scoring.trees import AT_MOST, Forest

ML = "ai.onnx.ml"
# TreeEnsemble, which allows double thresholds, was added in ai.onnx.ml 5.
OPSETS = {"": 21, ML: 5}
IR_VERSION = 10

TYPES = {str: TensorProto.STRING, np.int64: TensorProto.INT64, np.float64: TensorProto.DOUBLE}


class Graph:
    """A graph under construction, whose values are identified by name.

    An input has the shape (rows, 1), an output the shape (rows,), with a row per record.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, column: str, kind: type) -> str:
        """Add an input for a column, of type str, np.int64 or np.float64, and return its name.

        A column may be called like an output or like a value of the graph, so its input is called
        otherwise.
        """
        name = INPUT + column
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[kind], ["rows", 1]))
        return name

    def output(self, name: str, kind: type, value: str) -> None:
        """Add an output that returns a value under the output's name."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TYPES[kind], ["rows"]))

    def constant(self, array: Any) -> str:
        """Add a constant, and return its name.

        Args:
            array: A NumPy array, or a list of texts.
        """
        name = f"constant {len(self._constants)}"
        if isinstance(array, np.ndarray):
            self._constants.append(numpy_helper.from_array(array, name))
        else:
            texts = [text.encode() for text in array]
            self._constants.append(helper.make_tensor(name, TensorProto.STRING, [len(texts)], texts))
        return name

    def node(self, operator: str, *values: str, domain: str = "", **attributes: Any) -> str:
        """Add an operator on values, and return the name of its result."""
        name = f"value {len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(values), [name], domain=domain, **attributes))
        return name

    def column(self, matrix: str, place: int) -> str:
        """Return one column of a matrix, as a vector."""
        return self.node("Gather", matrix, self.constant(np.array(place)), axis=1)

    def model(self) -> onnx.ModelProto:
        """Return the whole graph as a checked model."""
        graph = helper.make_graph(
            self._nodes, "pipeline", self._inputs, self._outputs, initializer=self._constants
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model


def place_in(graph: Graph, value: str, places: Mapping[Any, int], kind: type, other: int) -> str:
    """Add a lookup of a value's index.

    Args:
        graph: The graph to extend.
        value: Name of the value.
        places: The index of each key; NaN is found like any other key.
        kind: Type of the keys: str, np.int64 or np.float64.
        other: The index of a value that is not among the keys.

    Returns:
        Name of the index (int64).
    """
    keys = [key.encode() if kind is str else key for key in places]
    integer = TensorProto.INT64
    return graph.node(
        "LabelEncoder",
        value,
        domain=ML,
        keys_tensor=helper.make_tensor("keys", TYPES[kind], [len(keys)], keys),
        values_tensor=helper.make_tensor("values", integer, [len(keys)], list(places.values())),
        default_tensor=helper.make_tensor("default", integer, [1], [other]),
    )


def sums_of(graph: Graph, features: str, forest: Forest) -> str:
    """Add the sums of a forest's leaves, and return the name of the result, a column per sum.

    In ONNX a leaf has a single value, so a forest with two sums is written twice.
    """
    sums = len(forest.leaves[0])
    nodes, leaves = len(forest.feature), len(forest.leaves)
    copies = range(sums)
    children = {
        side: np.concatenate(
            [np.where(child < 0, ~child + copy * leaves, child + copy * nodes) for copy in copies]
        )
        for side, child in (("true", np.array(forest.left)), ("false", np.array(forest.right)))
    }
    is_leaf = {
        side: np.tile(np.array(child) < 0, sums).astype(int)
        for side, child in (("true", forest.left), ("false", forest.right))
    }
    values: np.ndarray = np.array(forest.leaves, dtype=forest.dtype)
    mode = 0 if forest.rule == AT_MOST else 1
    return graph.node(
        "TreeEnsemble",
        features,
        domain=ML,
        aggregate_function=1,
        post_transform=0,
        n_targets=sums,
        tree_roots=[root + copy * nodes for copy in copies for root in forest.roots],
        nodes_featureids=forest.feature * sums,
        nodes_splits=numpy_helper.from_array(np.tile(np.array(forest.threshold, forest.dtype), sums)),
        nodes_modes=numpy_helper.from_array(np.full(nodes * sums, mode, np.uint8)),
        nodes_missing_value_tracks_true=[int(left) for left in forest.missing_left] * sums,
        nodes_truenodeids=children["true"].tolist(),
        nodes_falsenodeids=children["false"].tolist(),
        nodes_trueleafs=is_leaf["true"].tolist(),
        nodes_falseleafs=is_leaf["false"].tolist(),
        leaf_targetids=[copy for copy in copies for _ in range(leaves)],
        leaf_weights=numpy_helper.from_array(values.T.reshape(-1)),
    )
