"""From raw records to one vector of features, by a data set's spec."""

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

    A category that was not seen here, or a null, has an index of its own, so it is no error later.

    Args:
        train: training rows, the spec's columns.
        spec: which columns are numbers, which categories.
        encoding: onehot (a column a category and one for the unseen) or index (a column a feature,
            categories numbered by falling frequency: smaller, and enough for trees).

    Returns:
        The fitted pipeline; its output has the numbers first, scaled to [0, 1], then the categories.

    Raises:
        UserError: encoding is neither, or a number column has nulls, which no stage can scale.
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
    """Return the frame with `features` and `label` (the label's index as a double).

    The features carry no ML attributes: a tree would take one-hot columns for categories, and its
    splits could then not be exported as thresholds.
    """
    features = F.col(FEATURES).alias(FEATURES, metadata={})
    label = (quoted(spec.label) == spec.labels[1]).cast("double").alias(LABEL)
    columns = [quoted(name) for name in frame.columns]
    return vectorizer.transform(frame).select(*columns, features, label)


def feature_names(vectorizer: PipelineModel, spec: DatasetSpec, encoding: str) -> list[str]:
    """Return what each place of the vector holds: `age`, or `workclass=Private`."""
    names = spec.names_of("numeric")
    indexers = [stage for stage in vectorizer.stages if isinstance(stage, StringIndexerModel)]
    for indexer in indexers:
        for name, values in zip(spec.names_of("category"), indexer.labelsArray, strict=True):
            onehot = [f"{name}={value}" for value in values] + [f"{name} unseen"]
            names += onehot if encoding == "onehot" else [name]
    return names


def feature_sources(vectorizer: PipelineModel, spec: DatasetSpec) -> list[str]:
    """Return which column each place of the vector comes from."""
    onehot = any(isinstance(stage, OneHotEncoderModel) for stage in vectorizer.stages)
    names = spec.names_of("numeric")
    for indexer in vectorizer.stages:
        if isinstance(indexer, StringIndexerModel):
            for name, values in zip(spec.names_of("category"), indexer.labelsArray, strict=True):
                # One place more for what was never seen.
                names += [name] * (len(values) + 1 if onehot else 1)
    return names


def check_numbers(frame: DataFrame, spec: DatasetSpec) -> None:
    """Refuse rows without a number where the spec has a numeric column.

    Raises:
        UserError: a number column has nulls, which no stage can scale.
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
