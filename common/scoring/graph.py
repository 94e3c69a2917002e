"""ONNX graphs, written operator by operator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common.scoring.trees import AT_MOST, Forest

ML = "ai.onnx.ml"
# TreeEnsemble, whose thresholds can be doubles, came with ai.onnx.ml 5.
OPSETS = {"": 21, ML: 5}
IR_VERSION = 10

TYPES = {str: TensorProto.STRING, np.int64: TensorProto.INT64, np.float64: TensorProto.DOUBLE}


class Graph:
    """A graph as it is written; values are known by their names.

    Each input and output has a row a record: an input of one column, an output of none.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: type) -> str:
        """Add an input of type str, np.int64 or np.float64."""
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[kind], ["rows", 1]))
        return name

    def output(self, name: str, kind: type, value: str) -> None:
        """Add an output; gives a value under its name."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TYPES[kind], ["rows"]))

    def constant(self, array: Any) -> str:
        """Add a constant; of texts, as a list."""
        name = f"constant {len(self._constants)}"
        if isinstance(array, np.ndarray):
            self._constants.append(numpy_helper.from_array(array, name))
        else:
            texts = [text.encode() for text in array]
            self._constants.append(helper.make_tensor(name, TensorProto.STRING, [len(texts)], texts))
        return name

    def node(self, operator: str, *values: str, domain: str = "", **attributes: Any) -> str:
        """Add an operator on values, and return its result."""
        name = f"value {len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(values), [name], domain=domain, **attributes))
        return name

    def model(self) -> onnx.ModelProto:
        """Return the whole as a model, checked."""
        graph = helper.make_graph(
            self._nodes, "pipeline", self._inputs, self._outputs, initializer=self._constants
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model


def place_in(graph: Graph, value: str, keys: Sequence[Any], kind: type) -> str:
    """Add the place of a value among some keys (int64); of one that is none of them, their number."""
    encoded = [key.encode() if kind is str else key for key in keys]
    places = list(range(len(keys)))
    return graph.node(
        "LabelEncoder",
        value,
        domain=ML,
        keys_tensor=helper.make_tensor("keys", TYPES[kind], [len(keys)], encoded),
        values_tensor=helper.make_tensor("values", TensorProto.INT64, [len(keys)], places),
        default_tensor=helper.make_tensor("default", TensorProto.INT64, [1], [len(keys)]),
    )


def sums_of(graph: Graph, features: str, forest: Forest) -> str:
    """Add the sums of a forest's leaves, a column each.

    A leaf has one value here, so a forest of two sums stands there twice.
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
        nodes_truenodeids=children["true"].tolist(),
        nodes_falsenodeids=children["false"].tolist(),
        nodes_trueleafs=is_leaf["true"].tolist(),
        nodes_falseleafs=is_leaf["false"].tolist(),
        leaf_targetids=[copy for copy in copies for _ in range(leaves)],
        leaf_weights=numpy_helper.from_array(values.T.reshape(-1)),
    )
