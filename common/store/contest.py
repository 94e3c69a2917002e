"""Evaluate model versions from their searches' artifacts: compare two, or check one against its gates.

Versions that share their folds are compared over these, others on rows that neither was trained on.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress

from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from pyspark.sql import DataFrame, SparkSession

from common.champion.gates import OF_ROWS, measure_rows
from common.champion.unseen import Trained, compare_on_unseen
from common.champion.verdict import Comparison, Incomparable, compare_on_folds, same_folds
from common.data.reading import DOUBLE, INTEGER
from common.data.records import all_of
from common.data.row_hash import quoted
from common.data.spec import NUMERIC, DatasetSpec
from common.data.spec_yaml import parse_spec
from common.ensemble.out_of_fold import mixed, out_of_fold
from common.learning.vectorizer import LABEL
from common.search.folds import fold_data
from common.store import artifacts, frames, tracking
from common.store.members import member_of
from common.store.registry import SEARCH, contestant
from common.store.spark_models import load_spark_model


def compare_versions(
    first: ModelVersion, second: ModelVersion, session: Callable[[], SparkSession]
) -> Comparison:
    """Compare two versions of the same data set and metric.

    Args:
        first: The first version.
        second: The second version.
        session: A function that returns the Spark session; called only if the folds differ.

    Returns:
        The comparison of the first version with the second.

    Raises:
        Incomparable: There are too few rows to compare the versions on, they have different columns or
            labels, or a version lacks its fold scores or its features.
        UserError: Artifacts of their searches are gone.
    """
    ours, theirs = contestant(first), contestant(second)
    if same_folds(ours, theirs):
        return compare_on_folds(ours, theirs)
    features = [_features(version) for version in (first, second)]
    specs = [parse_spec(artifacts.read_text(f"{uri}/dataset.yaml"), uri) for uri in features]
    spec = specs[0]
    if why := _unlike(*specs):
        raise Incomparable(why)
    if changed := _other_currencies(spec, specs[1]):
        raise Incomparable(f"the amounts of {', '.join(changed)} are in other currencies")
    spark = session()
    trained = [
        Trained(
            load_spark_model(f"runs:/{version.tags[SEARCH]}/spark-model"),
            frames.read_frame(spark, f"{uri}/train"),
            frames.read_frame(spark, f"{uri}/test"),
            tuple(column.name for column in own.of_role(NUMERIC) if not column.missing),
        )
        for version, uri, own in zip((first, second), features, specs, strict=True)
    ]
    for own, other, rows in zip(specs, reversed(specs), trained, strict=True):
        for marker in sorted({*other.missing} - {*own.missing}):
            if _is_value(marker, rows.train, own):
                # The same row of a file is another to each of them.
                raise Incomparable(f"{marker!r} is a value to one of them and none to the other")
    return compare_on_unseen(trained[0], trained[1], spec.learnt, spec.label, spec.target, ours.metric)


def measure(
    search: Run, gates: Mapping[str, float], session: Callable[[], SparkSession]
) -> dict[str, float]:
    """Measure the winner of a search for each gate, on training rows that it was not fitted on.

    Args:
        search: A finished search.
        gates: The bounds by gate name; gates in OF_ROWS cost one fit per fold.
        session: A function that returns the Spark session; called only for gates in OF_ROWS.

    Returns:
        The measured value of each gate, by name.

    Raises:
        UserError: Artifacts of the search are gone.
    """
    metrics = search.data.metrics
    # The folds' scores are those at one half, and a gate asks about what the model predicts.
    keys = {name: f"{tracking.AT_THRESHOLD}_{name}" for name in gates if name not in OF_ROWS}
    found = {name: metrics[key if key in metrics else f"val_{name}"] for name, key in keys.items()}
    if not set(OF_ROWS) & gates.keys():
        return found
    weights = json.loads(search.data.tags.get("members", "null")) or {search.info.run_id: 1.0}
    members = [member_of(tracking.get_run(run_id)) for run_id in weights]
    features = members[0].features
    spec = parse_spec(artifacts.read_text(f"{features}/dataset.yaml"), features)
    train = frames.read_frame(session(), f"{features}/train")
    first = members[0]
    data = fold_data(train, first.folds, spec.target, spec.strata, first.balance)
    said, _ = out_of_fold(members, data, spec.strata)
    probability = mixed(list(weights.values())).alias("probability")
    rows = said.select(LABEL, *[quoted(name) for name in spec.strata], probability)
    return found | measure_rows(rows, spec.strata, data.rows)


def _features(version: ModelVersion) -> str:
    """Return the URI of the features that a version's search was trained on."""
    search = tracking.get_run(version.tags.get(SEARCH, ""))
    uri = search.data.tags.get(f"{tracking.INPUT}features")
    if uri is None:
        raise Incomparable(f"the search of version {version.version} has no recorded features")
    return uri


def _other_currencies(spec: DatasetSpec, other: DatasetSpec) -> list[str]:
    units = {column.name: column.unit for column in other.columns}
    return [c.name for c in spec.inputs if c.unit and units[c.name] and c.unit != units[c.name]]


def _is_value(marker: str, rows: DataFrame, spec: DatasetSpec) -> bool:
    """Return whether a mark of missing values is a value of some input."""
    differ = [~quoted(column.name).cast("string").eqNullSafe(marker) for column in spec.inputs]
    with suppress(ValueError):
        number = float(marker)
        differ += [
            ~quoted(column.name).cast("double").eqNullSafe(number)
            for column in spec.inputs
            if column.type in (INTEGER, DOUBLE)
        ]
    return not rows.where(~all_of(differ)).isEmpty()


def _unlike(ours: DatasetSpec, theirs: DatasetSpec) -> str | None:
    """Return how what two models see or predict differs; the order of the columns makes no difference."""
    if ours.label != theirs.label:
        return f"one predicts {ours.label!r} and the other {theirs.label!r}"
    if ours.target != theirs.target:
        return f"the labels of {ours.label!r} differ"
    kinds = [{c.name: f"{c.type}, {c.role}" for c in spec.inputs} for spec in (ours, theirs)]
    for name in {**kinds[0], **kinds[1]}:
        one, other = (found.get(name, "no input") for found in kinds)
        if one != other:
            return f"column {name!r} is {one} to one and {other} to the other"
    return None
