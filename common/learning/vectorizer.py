"""Conversion of raw records to feature vectors, as defined by a data set's spec."""

import uuid
from collections.abc import Sequence
from typing import Any

from pyspark import SparkContext
from pyspark.ml import Pipeline, PipelineModel, Transformer
from pyspark.ml.feature import (
    Imputer,
    MinMaxScaler,
    OneHotEncoder,
    OneHotEncoderModel,
    StringIndexerModel,
    VectorAssembler,
)
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.data.spec import CATEGORY, NUMERIC, DatasetSpec
from common.data.target import REGRESSION
from common.errors import UserError
from common.learning.prepare import (
    IMPUTE,
    MISSING_TEXT,
    NATIVE,
    category_column,
    number_column,
    numbers_of,
    prepare,
)

ENCODINGS = ("onehot", "index")
# Columns beside the data set's own. The latter never have these names.
FEATURES = "__features"
LABEL = "__label"
WEIGHT = "__weight"

INDEX, ONEHOT, NUMBERS, SCALED, FILLED = "__index", "__onehot", "__numbers", "__scaled", "__filled"

# Accuracy of the medians: exact up to half a million rows, and then off by a millionth of the rows.
MEDIAN_ERROR = 1e-6


def fit_vectorizer(
    train: DataFrame, spec: DatasetSpec, encoding: str, missing: str = IMPUTE
) -> PipelineModel:
    """Fit the stages from records to features on the training rows, with Spark's own classes.

    Missing numbers get the median (Imputer) and a feature that says so; a missing text is a category of
    its own. Categories beyond a column's `max_categories` most frequent, and those that occur only
    later, share one index.

    Args:
        train: Training rows with the spec's columns.
        spec: The spec, which tells numeric columns from categories.
        encoding: `onehot` (one feature per category, and one for all others) or `index` (one feature
            per column, categories numbered by descending frequency: smaller, and enough for trees).
        missing: IMPUTE, or NATIVE to leave missing numbers to the learner.

    Returns:
        The fitted pipeline. Its vectors have the numbers first, scaled to [0, 1], then the categories.

    Raises:
        UserError: The encoding is unknown, no column is left to learn from, or see `check_numbers`.
    """
    if encoding not in ENCODINGS:
        raise UserError(f"encoding must be one of {', '.join(ENCODINGS)}, got {encoding!r}")
    if not spec.inputs:
        raise UserError(f"dataset {spec.name!r} has no column with the role numeric or category")
    if missing == IMPUTE:
        check_numbers(train, spec)
    first = prepare(spec, missing)
    prepared = first.transform(train)
    stages: list[Transformer] = [first]
    parts = []
    if numbers_of(spec, missing):
        scaling = _fit_numbers(prepared, spec, missing)
        stages += scaling
        parts.append(SCALED)
    if spec.of_role(CATEGORY):
        indexing = _index_stages(prepared, spec, encoding)
        stages += indexing
        parts += indexing[-1].getOrDefault("outputCols")
    keep = "keep" if missing == NATIVE else "error"
    stages.append(VectorAssembler(inputCols=parts, outputCol=FEATURES, handleInvalid=keep))
    return PipelineModel(stages)


def check_numbers(train: DataFrame, spec: DatasetSpec) -> None:
    """Refuse training rows whose missing numbers could not be replaced.

    Raises:
        UserError: A numeric column lacks values although the spec says that it has all, or has none.
    """
    columns = spec.of_role(NUMERIC)
    if not columns:
        return
    rows, *found = train.agg(
        F.count(F.lit(1)), *[F.count(quoted(column.name)) for column in columns]
    ).first() or (0, *[0 for _ in columns])
    for column, count in zip(columns, found, strict=True):
        if count < rows and column.missing == 0:
            raise UserError(
                f"numeric column {column.name!r} has {rows - count} missing values among the training "
                "rows, but the spec says that it has none: give its share of the rows as missing"
            )
        if count == 0:
            raise UserError(
                f"numeric column {column.name!r} has no value in the training rows: give it the role "
                "ignored"
            )


def _fit_numbers(prepared: DataFrame, spec: DatasetSpec, missing: str) -> Sequence[Transformer]:
    numbers = numbers_of(spec, missing)
    names = [number_column(place) for place in range(len(numbers))]
    filled = [name for name, number in zip(names, numbers, strict=True) if number.filled]
    stages: list[Any] = []
    if filled:
        outputs = [name + FILLED for name in filled]
        stages.append(
            Imputer(inputCols=filled, outputCols=outputs, strategy="median", relativeError=MEDIAN_ERROR)
        )
        names = [name + FILLED if name in filled else name for name in names]
    keep = "keep" if missing == NATIVE else "error"
    stages.append(VectorAssembler(inputCols=names, outputCol=NUMBERS, handleInvalid=keep))
    stages.append(MinMaxScaler(inputCol=NUMBERS, outputCol=SCALED))
    return Pipeline(stages=stages).fit(prepared).stages


def _index_stages(prepared: DataFrame, spec: DatasetSpec, encoding: str) -> list[Transformer]:
    names = [category_column(place) for place in range(len(spec.of_role(CATEGORY)))]
    indexed = [name + INDEX for name in names]
    indexer = _indexer(_categories(prepared, names, spec.max_categories), names, indexed)
    if encoding == "index":
        return [indexer]
    encoder = OneHotEncoder(
        inputCols=indexed, outputCols=[name + ONEHOT for name in names], dropLast=False
    )
    return [indexer, encoder.fit(indexer.transform(prepared.limit(0)))]


def _categories(prepared: DataFrame, names: Sequence[str], most: int) -> list[list[str]]:
    """Return each column's most frequent texts, in the order of Spark's StringIndexer, in one job."""
    cells = [
        F.struct(F.lit(place).alias("of"), F.col(name).alias("text")) for place, name in enumerate(names)
    ]
    counted = (
        prepared.select(F.explode(F.array(*cells)).alias("cell"))
        .groupBy("cell.of", "cell.text")
        .agg(F.count(F.lit(1)).alias("rows"))
    )
    order = Window.partitionBy("of").orderBy(F.desc("rows"), "text")
    kept = counted.withColumn("place", F.row_number().over(order)).where(F.col("place") <= most)
    found: list[list[str]] = [[] for _ in names]
    for row in kept.orderBy("of", "place").collect():
        found[row["of"]].append(row["text"])
    return found


def _indexer(
    categories: Sequence[Sequence[str]], names: Sequence[str], indexed: Sequence[str]
) -> StringIndexerModel:
    """Return the model of Spark's StringIndexer that knows these categories.

    PySpark's own `from_arrays_of_labels` fills shorter lists up with nulls.
    """
    context: Any = SparkContext._active_spark_context
    jvm, gateway = context._jvm, context._gateway
    arrays = gateway.new_array(jvm.java.lang.String, len(categories), 0)
    for place, texts in enumerate(categories):
        # One call instead of one for each text.
        between = next(mark for mark in map(chr, range(1, 32)) if not any(mark in text for text in texts))
        arrays[place] = jvm.java.util.regex.Pattern.compile(between).split(between.join(texts), -1)
    uid = f"StringIndexer_{uuid.uuid4().hex[:12]}"
    model = StringIndexerModel(jvm.org.apache.spark.ml.feature.StringIndexerModel(uid, arrays))
    columns: dict[str, Any] = {"inputCols": list(names), "outputCols": list(indexed)}
    return model._set(**columns, handleInvalid="keep")


def vectorize(frame: DataFrame, vectorizer: Transformer, spec: DatasetSpec) -> DataFrame:
    """Add FEATURES, LABEL (the label's index, or the number to predict) and, if any, WEIGHT to a frame.

    The features carry no ML attributes. With them, a tree would treat one-hot features as categorical,
    and its splits could not be exported as thresholds.
    """
    features = F.col(FEATURES).alias(FEATURES, metadata={})
    columns = [quoted(name) for name in frame.columns]
    if spec.weight is not None:
        columns.append(quoted(spec.weight).cast("double").alias(WEIGHT))
    return vectorizer.transform(frame).select(*columns, features, label_column(spec).alias(LABEL))


def label_column(spec: DatasetSpec) -> Column:
    """Return the label as a double: its index among the labels, or the number itself."""
    label = quoted(spec.label)
    if spec.task == REGRESSION:
        return label.cast("double")
    return label_index(label, spec.labels)


def label_index(label: Column, labels: Sequence[str]) -> Column:
    """Return the index of a label among labels, a double; -1 if it is none of them, null if missing."""
    return (F.array_position(F.array(*[F.lit(text) for text in labels]), label) - 1).cast("double")


def feature_names(vectorizer: PipelineModel, spec: DatasetSpec) -> list[str]:
    """Return the name of each feature in the vector, such as `age` or `workclass=Private`."""
    return [name for name, _ in _features(vectorizer, spec)]


def feature_sources(vectorizer: PipelineModel, spec: DatasetSpec) -> list[str]:
    """Return the column that each feature in the vector is derived from."""
    return [source for _, source in _features(vectorizer, spec)]


def _features(vectorizer: PipelineModel, spec: DatasetSpec) -> list[tuple[str, str]]:
    """Return the name and the column of each feature."""
    last = vectorizer.stages[-1]
    if not isinstance(last, VectorAssembler):
        # Its features would get the names and the importances of others.
        raise ValueError(f"which features a {type(last).__name__} leaves is not known: say here")
    onehot = any(isinstance(stage, OneHotEncoderModel) for stage in vectorizer.stages)
    found = [(number.name, number.column.name) for number in numbers_of(spec, missing_of(vectorizer))]
    for name, values in categories_of(vectorizer, spec).items():
        each = [f"{name} missing" if value == MISSING_TEXT else f"{name}={value}" for value in values]
        each.append(f"{name} other")
        found += [(feature, name) for feature in (each if onehot else [name])]
    return found


def number_features(vectorizer: PipelineModel, spec: DatasetSpec) -> int:
    """Return how many of the features, the first, are numbers."""
    return len(numbers_of(spec, missing_of(vectorizer)))


def categories_of(vectorizer: PipelineModel, spec: DatasetSpec) -> dict[str, list[str]]:
    """Return the categories that have an index of their own, by column; MISSING_TEXT is one."""
    for stage in vectorizer.stages:
        if isinstance(stage, StringIndexerModel):
            names = [column.name for column in spec.of_role(CATEGORY)]
            return dict(zip(names, map(list, stage.labelsArray), strict=True))
    return {}


def missing_of(vectorizer: PipelineModel) -> str:
    """Return how a fitted pipeline treats missing numbers: IMPUTE or NATIVE."""
    for stage in vectorizer.stages:
        if isinstance(stage, VectorAssembler):
            return NATIVE if stage.getHandleInvalid() == "keep" else IMPUTE
    return IMPUTE
