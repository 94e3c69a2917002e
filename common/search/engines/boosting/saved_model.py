"""A model of the boosting engine as Spark's own: written in MLlib's saved format, and loaded by Spark.

Building the trees' nodes one by one in the JVM would take several calls a node.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.ml import Estimator, Model
from pyspark.ml.classification import GBTClassificationModel, GBTClassifier
from pyspark.ml.regression import DecisionTreeRegressor, GBTRegressionModel, GBTRegressor

from common.learning.saved_stages import METADATA, metadata, remember, write_text
from common.search.engines.boosting.spark_trees import NONE, SparkTree, WholeFit

# The model of each estimator, in Python and in Spark.
MODELS: dict[type[Estimator[Any]], tuple[Any, str]] = {
    GBTClassifier: (GBTClassificationModel, "org.apache.spark.ml.classification.GBTClassificationModel"),
    GBTRegressor: (GBTRegressionModel, "org.apache.spark.ml.regression.GBTRegressionModel"),
}
TREE = "org.apache.spark.ml.regression.DecisionTreeRegressionModel"

SPLIT = pa.struct(
    [
        ("featureIndex", pa.int32()),
        ("leftCategoriesOrThreshold", pa.list_(pa.float64())),
        ("numCategories", pa.int32()),
    ]
)
NODE = pa.struct(
    [
        ("id", pa.int32()),
        ("prediction", pa.float64()),
        ("impurity", pa.float64()),
        ("impurityStats", pa.list_(pa.float64())),
        ("rawCount", pa.int64()),
        ("gain", pa.float64()),
        ("leftChild", pa.int32()),
        ("rightChild", pa.int32()),
        ("split", SPLIT),
    ]
)


def spark_model(
    fit: WholeFit, estimator: Estimator[Any], folder: Path, reach: Callable[[Path], str]
) -> Model:
    """Return a fit as the model of Spark that the estimator would have made.

    Args:
        fit: The fit.
        estimator: GBTClassifier or GBTRegressor with the parameters of the fit.
        folder: An empty folder for the model's files.
        reach: Returns the URI at which Spark's workers find a local path.
    """
    kind, java = MODELS[type(estimator)]
    count = len(fit.trees)
    write_text(folder / METADATA, _metadata(java, estimator, numFeatures=fit.features, numTrees=count))
    alike = DecisionTreeRegressor()
    # Each tree has the parameters that it shares with the whole.
    for parameter, value in estimator._paramMap.items():
        if alike.hasParam(parameter.name):
            alike.set(alike.getParam(parameter.name), value)
    each = [_metadata(TREE, alike, uid=f"dtr_{estimator.uid}_{tree}") for tree in range(count)]
    weights = pa.array(fit.weights, pa.float64())
    trees = pa.array(range(count), pa.int32())
    _write_table(folder / "treesMetadata", pa.table({"_1": trees, "_2": each, "_3": weights}))
    of_tree = [tree for tree, one in enumerate(fit.trees) for _ in one.rows]
    nodes = [node for tree in fit.trees for node in _nodes(tree)]
    columns = {"treeID": pa.array(of_tree, pa.int32()), "nodeData": pa.array(nodes, NODE)}
    _write_table(folder / "data", pa.table(columns))
    model: Model = kind.load(reach(folder))
    remember(model, folder)
    return model


def _nodes(tree: SparkTree) -> Iterator[dict[str, Any]]:
    shape = tree.shape
    for place in range(len(tree.rows)):
        feature = int(shape.feature[place])
        threshold = [] if feature == NONE else [float(shape.threshold[place])]
        yield {
            "id": place,
            "prediction": float(tree.prediction[place]),
            "impurity": float(tree.impurity[place]),
            "impurityStats": tree.stats[place].tolist(),
            "rawCount": int(tree.rows[place]),
            "gain": float(tree.gain[place]),
            "leftChild": int(shape.left[place]),
            "rightChild": int(shape.right[place]),
            "split": {
                "featureIndex": feature,
                "leftCategoriesOrThreshold": threshold,
                "numCategories": NONE,
            },
        }


def _metadata(java: str, of: Estimator[Any], uid: str = "", **more: object) -> str:
    """Return the metadata of a model as Spark writes it, with its estimator's parameters."""
    given = {parameter.name: value for parameter, value in of._paramMap.items()}
    defaults = {
        parameter.name: value
        for parameter, value in of._defaultParamMap.items()
        # PySpark's default is a hash that differs from process to process; Spark's own stays.
        if parameter.name != "seed"
    }
    return metadata(java, uid or of.uid, given, defaults, **more)


def _write_table(folder: Path, table: pa.Table) -> None:
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "part-00000.parquet")
    (folder / "_SUCCESS").touch()
