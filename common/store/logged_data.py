"""Log the data sets that a run uses, so that the MLflow UI lists them."""

from collections.abc import Sequence

import mlflow
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.spark_dataset_source import SparkDatasetSource
from mlflow.types import ColSpec, DataType, Schema
from pyspark.sql import DataFrame

from common.data.spec import DatasetSpec


def log_data(frame: DataFrame, spec: DatasetSpec, uri: str, digest: str, context: str) -> None:
    """Log a data set as an input of the active run, without reading any rows.

    Args:
        frame: The rows; only the schema is used.
        spec: The spec of the data set; gives its name and column types.
        uri: The URI of the stored rows.
        digest: A digest of the rows' content.
        context: The role of the data set: training, test, ...
    """
    columns = [name for name in spec.names if name in frame.columns]
    data = MetaDataset(  # type: ignore[abstract]
        SparkDatasetSource(path=uri),
        name=spec.name,
        digest=digest,
        schema=_raw_schema(spec, columns),
    )
    mlflow.log_input(data, context=context)


def log_source(uri: str, context: str) -> None:
    """Log a file as an input of the active run by its URI, without reading any rows."""
    name = uri.rstrip("/").rpartition("/")[2]
    source = SparkDatasetSource(path=uri)
    mlflow.log_input(MetaDataset(source, name=name), context=context)  # type: ignore[abstract]


def input_schema(spec: DatasetSpec) -> Schema:
    """Return the schema of the raw records that a model takes: their original column names and types."""
    return _raw_schema(spec, [column.name for column in spec.inputs])


def _raw_schema(spec: DatasetSpec, names: Sequence[str]) -> Schema:
    kinds = {"integer": DataType.long, "double": DataType.double, "string": DataType.string}
    types = {column.name: kinds[column.type] for column in spec.columns}
    return Schema([ColSpec(type=types[name], name=name) for name in names])
