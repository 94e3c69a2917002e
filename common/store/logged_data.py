"""Which data went into a run, as MLflow's interface lists them."""

from collections.abc import Sequence

import mlflow
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.spark_dataset_source import SparkDatasetSource
from mlflow.types import ColSpec, DataType, Schema
from pyspark.sql import DataFrame

from common.data.spec import DatasetSpec


def log_data(frame: DataFrame, spec: DatasetSpec, uri: str, digest: str, context: str) -> None:
    """Log which data went into the active run; reads no row.

    Args:
        frame: the rows, for their schema.
        spec: the data set's, for its name.
        uri: where the rows are kept.
        digest: of the rows.
        context: training, test, ...
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
    """Log a file that went into the active run, by its place alone; reads no row."""
    name = uri.rstrip("/").rpartition("/")[2]
    source = SparkDatasetSource(path=uri)
    mlflow.log_input(MetaDataset(source, name=name), context=context)  # type: ignore[abstract]


def input_schema(spec: DatasetSpec) -> Schema:
    """Return the columns of a raw record that a model takes, with their own names and types."""
    return _raw_schema(spec, [column.name for column in spec.inputs])


def _raw_schema(spec: DatasetSpec, names: Sequence[str]) -> Schema:
    kinds = {"integer": DataType.long, "double": DataType.double, "string": DataType.string}
    types = {column.name: kinds[column.type] for column in spec.columns}
    return Schema([ColSpec(type=types[name], name=name) for name in names])
