"""Conversion of raw records to feature vectors, as defined by a data set's spec."""

from pyspark.ml import Estimator, Pipeline, PipelineModel, Transformer
from pyspark.ml.feature import (
    MinMaxScaler,
    OneHotEncoder,
    OneHotEncoderModel,
    StringIndexer,
    StringIndexerModel,
    VectorAssembler,
)
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.data.spec import DatasetSpec
from common.errors import UserError

ENCODINGS = ("onehot", "index")
FEATURES = "features"
LABEL = "label"

INDEX, ONEHOT, NUMBERS, SCALED = "__index", "__onehot", "numbers", "numbers_scaled"


def fit_vectorizer(train: DataFrame, spec: DatasetSpec, encoding: str) -> PipelineModel:
    """Fit StringIndexer, OneHotEncoder, MinMaxScaler and VectorAssembler on the training rows.

    Unseen categories and nulls get an extra index, so they do not cause errors later.

    Args:
        train: Training rows with the spec's columns.
        spec: The spec, which tells numeric columns from categories.
        encoding: `onehot` (one feature per category, and one for unseen values) or `index` (one feature
            per column, categories numbered by descending frequency: smaller, and enough for trees).

    Returns:
        The fitted pipeline. Its vectors have the numbers first, scaled to [0, 1], then the categories.

    Raises:
        UserError: The encoding is unknown, or a numeric column has nulls, which no stage can scale.
    """
    if encoding not in ENCODINGS:
        raise UserError(f"encoding must be one of {', '.join(ENCODINGS)}, got {encoding!r}")
    check_numbers(train, spec)
    numbers, categories = spec.names_of("numeric"), spec.names_of("category")
    stages: list[Estimator | Transformer] = []
    parts = []
    if numbers:
        stages.append(VectorAssembler(inputCols=numbers, outputCol=NUMBERS))
        stages.append(MinMaxScaler(inputCol=NUMBERS, outputCol=SCALED))
        parts.append(SCALED)
    if categories:
        indexed = [name + INDEX for name in categories]
        indexer = StringIndexer(inputCols=categories, outputCols=indexed, handleInvalid="keep")
        stages.append(indexer)
        if encoding == "onehot":
            encoded = [name + ONEHOT for name in categories]
            stages.append(OneHotEncoder(inputCols=indexed, outputCols=encoded, dropLast=False))
            parts += encoded
        else:
            parts += indexed
    stages.append(VectorAssembler(inputCols=parts, outputCol=FEATURES))
    return Pipeline(stages=stages).fit(train)


def vectorize(frame: DataFrame, vectorizer: Transformer, spec: DatasetSpec) -> DataFrame:
    """Add `features` and `label` (the label's index as a double) to a frame.

    The features carry no ML attributes. With them, a tree would treat one-hot features as categorical,
    and its splits could not be exported as thresholds.
    """
    features = F.col(FEATURES).alias(FEATURES, metadata={})
    label = (quoted(spec.label) == spec.labels[1]).cast("double").alias(LABEL)
    columns = [quoted(name) for name in frame.columns]
    return vectorizer.transform(frame).select(*columns, features, label)


def feature_names(vectorizer: PipelineModel, spec: DatasetSpec, encoding: str) -> list[str]:
    """Return the name of each feature in the vector, such as `age` or `workclass=Private`."""
    names = spec.names_of("numeric")
    indexers = [stage for stage in vectorizer.stages if isinstance(stage, StringIndexerModel)]
    for indexer in indexers:
        for name, values in zip(spec.names_of("category"), indexer.labelsArray, strict=True):
            onehot = [f"{name}={value}" for value in values] + [f"{name} unseen"]
            names += onehot if encoding == "onehot" else [name]
    return names


def feature_sources(vectorizer: PipelineModel, spec: DatasetSpec) -> list[str]:
    """Return the column that each feature in the vector is derived from."""
    onehot = any(isinstance(stage, OneHotEncoderModel) for stage in vectorizer.stages)
    names = spec.names_of("numeric")
    for indexer in vectorizer.stages:
        if isinstance(indexer, StringIndexerModel):
            for name, values in zip(spec.names_of("category"), indexer.labelsArray, strict=True):
                # One extra feature for unseen values.
                names += [name] * (len(values) + 1 if onehot else 1)
    return names


def check_numbers(frame: DataFrame, spec: DatasetSpec) -> None:
    """Reject rows with missing values in numeric columns.

    Raises:
        UserError: A numeric column has nulls, which no stage can scale.
    """
    numbers = spec.names_of("numeric")
    if not numbers:
        return
    nulls = frame.select(*[F.count_if(quoted(name).isNull()) for name in numbers]).first()
    for name, count in zip(numbers, nulls or [], strict=True):
        if count:
            raise UserError(
                f"numeric column {name!r} has {count} missing values: fill them "
                f"in the source, or give the column the role category in dataset {spec.name!r}"
            )
