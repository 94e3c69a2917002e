"""Log the data sets that a run uses, so that the MLflow UI lists them."""

from collections.abc import Collection, Sequence

import mlflow
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.spark_dataset_source import SparkDatasetSource
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType
from pyspark.sql import DataFrame

from common.data.reading import (
    BOOLEAN,
    CURRENCY,
    DATE,
    DOUBLE,
    INTEGER,
    PERCENT,
    TEXT,
    TIMESTAMP,
)
from common.data.spec import Column, DatasetSpec
from common.scoring.outputs import outputs_of
from common.scoring.portable_model import PREDICTION


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


# MLflow's types of the columns whose values need no rule of ours to be told from wrong ones.
PLAIN = {INTEGER: DataType.long, DOUBLE: DataType.double, TEXT: DataType.string}
# Its types of a model's outputs.
OUTPUTS = {str: DataType.string, float: DataType.double}


def input_schema(spec: DatasetSpec) -> Schema:
    """Return the schema of the raw records that a Spark pipeline takes: their column names and types.

    MLflow knows no number that may be missing, no percentage, and no date that is written as text. It
    passes on any value for such a column, and the model's own rules decide.
    """
    optional = spec.input_form.optional
    return Schema([ColSpec(_input_type(column, optional), column.name) for column in spec.inputs])


def _input_type(column: Column, optional: Collection[str]) -> DataType | AnyType:
    if column.type != TEXT and column.name in optional:
        return AnyType()
    return PLAIN.get(column.type, AnyType())


def names_schema(spec: DatasetSpec) -> Schema:
    """Return the schema of the records that a portable model takes: names alone.

    By types MLflow refuses what the model's own rules take, such as whole numbers in a column of numbers.
    A column may have the name that it has in the files, of which MLflow would say that it is missing.
    """
    form = spec.input_form
    columns = []
    for name in form.columns:
        names = dict.fromkeys([name, form.in_file(name)])
        columns += [ColSpec(AnyType(), one, required=len(names) == 1) for one in names]
    return Schema(list({spec.name: spec for spec in columns}.values()))


def output_schema(spec: DatasetSpec) -> Schema:
    """Return the schema of a portable model's answer."""
    return Schema([ColSpec(OUTPUTS[kind], name) for name, kind in outputs_of(spec.target).items()])


def prediction_type(spec: DatasetSpec) -> DataType:
    """Return the type of a model's prediction: a label's text or a number."""
    return OUTPUTS[outputs_of(spec.target)[PREDICTION]]


def _raw_schema(spec: DatasetSpec, names: Sequence[str]) -> Schema:
    kinds = {
        **PLAIN,
        PERCENT: DataType.double,
        CURRENCY: DataType.double,
        BOOLEAN: DataType.string,
        DATE: DataType.datetime,
        TIMESTAMP: DataType.datetime,
    }
    types = {column.name: kinds[column.type] for column in spec.columns}
    return Schema([ColSpec(type=types[name], name=name) for name in names])
