"""A small table with a column of every type, under names that clash with everything, for each task."""

import functools

import numpy as np

from common.data.reading import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NO_INTEGER,
    PERCENT,
    TEXT,
    TIMESTAMP,
)
from common.data.row_hash import quoted
from common.data.spec import CATEGORY, IGNORED, LABEL_ROLE, NUMERIC, TYPES, Column, DatasetSpec
from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.learning.learners import LEARNERS
from common.learning.vectorizer import fit_vectorizer, vectorize
from common.search.winner import scoring_pipeline

LABELS = {BINARY: ("no", "yes"), MULTICLASS: ("a", "b.c", "A", "never"), REGRESSION: ()}
COLUMNS = {
    "value 0": (INTEGER, NUMERIC),
    "constant 0": (DOUBLE, NUMERIC),
    "a.dot `and` 'quotes' \"too\"": (PERCENT, NUMERIC),
    "born": (DATE, NUMERIC),
    "seen": (TIMESTAMP, NUMERIC),
    "probability_a": (TEXT, CATEGORY),
    "数": (INTEGER, CATEGORY),
    "rate": (DOUBLE, CATEGORY),
    "ok": (BOOLEAN, CATEGORY),
    "day": (DATE, CATEGORY),
    "at": (TIMESTAMP, CATEGORY),
}
ROWS = 240
# Fits that take little time but split every kind of feature.
PARAMETERS = {
    "gbt": {"maxIter": 4, "maxDepth": 4, "maxBins": 64},
    "xgboost": {"n_estimators": 4, "max_depth": 4},
    "random_forest": {"numTrees": 4, "maxDepth": 4, "maxBins": 64},
    "logistic_regression": {"maxIter": 5},
    "linear_regression": {"maxIter": 5},
    "linear_svc": {"maxIter": 5},
}


def spec_of(task, lacking):
    """The spec; with `lacking`, values are missing in every column."""
    columns = [
        Column(name, kind, role, 0.2 if lacking else 0.0) for name, (kind, role) in COLUMNS.items()
    ]
    label = Column("y", DOUBLE if task == REGRESSION else TEXT, LABEL_ROLE)
    labels = LABELS[task]
    return DatasetSpec(
        name="every type",
        columns=(*columns, Column("skipped", TEXT, IGNORED), label),
        label="y",
        labels=labels,
        positive=labels[1] if task == BINARY else "",
        strata=(),
        task=task,
        max_categories=4,
    )


def rows_of(task, lacking):
    """Training rows as texts and numbers, a dictionary a row, with the label."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(ROWS):
        number, level = int(rng.integers(0, 90)), int(rng.integers(0, 6))
        row = {
            "value 0": number,
            "constant 0": float(rng.normal()),
            "a.dot `and` 'quotes' \"too\"": float(rng.random()),
            "born": str(np.datetime64("1960-02-27") + int(rng.integers(0, 20_000))),
            "seen": str(np.datetime64("2019-12-31T00:00:00") + int(rng.integers(0, 10**8))),
            "probability_a": ("x", "y", "z z", "ü'\"", "w", "v")[level],
            "数": (level * 10**17 + 1) // 3,
            "rate": level / 10,
            "ok": ("true", "false")[level % 2],
            "day": f"2024-02-2{level}",
            "at": f"2024-02-29 12:00:00{('', '.5', '.000001')[level % 3]}",
            "skipped": "s",
        }
        score = number / 30 + row["constant 0"] + level / 4 + rng.normal() / 4
        if task == REGRESSION:
            row["y"] = 1000 * score
        else:
            known = [label for label in LABELS[task] if label != "never"]
            row["y"] = known[min(int(max(score, 0)) * len(known) // 4, len(known) - 1)]
        if lacking:
            row |= {name: None for name in COLUMNS if rng.random() < 0.2}
        found.append(row)
    return found


def strange_rows(lacking):
    """Rows unlike any that training had; with `lacking`, also rows with nulls."""
    usual = {name: value for name, value in rows_of(REGRESSION, False)[0].items() if name != "y"}
    changes = [
        {"born": "0001-01-01", "seen": "0001-01-01 00:00:00"},
        {"born": "9999-12-31", "seen": "9999-12-31 23:59:59.999999"},
        {"born": "1969-12-31", "seen": "1969-12-31 23:59:59.999999"},
        {"born": "1600-02-29", "seen": "1900-03-01 00:00:00"},
        {"value 0": -(2**62), "constant 0": 1e300},
        {"probability_a": "never seen", "数": -5, "rate": 1e22, "day": "1999-01-01"},
        # A category may be missing although none was in training.
        dict.fromkeys(name for name, (_, role) in COLUMNS.items() if role == CATEGORY),
    ]
    changes += [{name: None} for name in COLUMNS] + [dict.fromkeys(COLUMNS)] if lacking else []
    return [usual | change for change in changes]


def frame_of(spark, spec, rows):
    """The rows as a frame with the spec's types, in one partition; a column that no row has is null."""
    dates = (DATE, TIMESTAMP)
    kinds = {column.name: "string" if column.type in dates else column.type for column in spec.columns}
    kinds = {name: TYPES[kind]().simpleString() for name, kind in kinds.items()}
    schema = ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in kinds.items())
    frame = spark.createDataFrame([[row.get(name) for name in spec.names] for row in rows], schema)
    cells = [quoted(c.name).cast(TYPES[c.type]()).alias(c.name) for c in spec.columns]
    return frame.select(*cells).coalesce(1)


def arrays_of(spec, rows):
    """The rows as arrays, as they are after reading."""
    return {c.name: _array(c.type, [row[c.name] for row in rows]) for c in spec.inputs}


def _array(kind, values):
    if kind in (DATE, TIMESTAMP):
        return np.array(["NaT" if value is None else value for value in values], "datetime64[us]")
    if kind == INTEGER:
        return np.array([NO_INTEGER if value is None else value for value in values], np.int64)
    if kind in (TEXT, BOOLEAN):
        return np.array(["" if value is None else value for value in values], object)
    return np.array([np.nan if value is None else value for value in values], float)


@functools.cache
def _vectorized(spark, task, encoding, missing, lacking):
    """A vectoriser, and the training rows that it was fitted on, for all learners."""
    spec = spec_of(task, lacking)
    train = frame_of(spark, spec, rows_of(task, lacking)).cache()
    vectorizer = fit_vectorizer(train, spec, encoding, missing)
    # Not coalesce, which XGBoost cannot begin with.
    rows = vectorize(train, vectorizer, spec).repartition(1).cache()
    rows.count()
    train.unpersist()
    return vectorizer, rows, spec


def fit(spark, task, learner, encoding, missing, lacking):
    """Fit a scoring pipeline; return it and its spec."""
    vectorizer, rows, spec = _vectorized(spark, task, encoding, missing, lacking)
    model = LEARNERS[learner].fitting(task).estimator(PARAMETERS[learner], 42).fit(rows)
    return scoring_pipeline(vectorizer, model, spec), spec
