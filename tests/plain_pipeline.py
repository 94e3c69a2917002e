"""A plain scikit-learn pipeline for any table: what a project's model has to be as good as.

Numbers get the median where they are missing, texts are one-hot encoded and dates become days. The
best of boosting and a linear model, by cross-validation on the training rows, scores the test rows.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

NUMBER, DATE, TEXT = "number", "date", "text"
# The metric that decides, by task, and whether more is better.
DECISIVE = {"binary": ("roc_auc", 1), "multiclass": ("log_loss", -1), "regression": ("rmse", -1)}
SCORERS = {"binary": "roc_auc", "multiclass": "neg_log_loss", "regression": "neg_root_mean_squared_error"}
MANY = 20  # a text column with more values is encoded without its rare ones
RARE = 5  # rows
SEED, FOLDS = 42, 5
ISO_DATE = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?"
UNITS = r"[$€%,]"


def predict_plainly(
    train: pd.DataFrame, test: pd.DataFrame, label: str, task: str, labels: Sequence[str] = ()
) -> np.ndarray:
    """Fit the pipeline to training rows and score test rows.

    Args:
        train: The training rows, with the columns of the user's table.
        test: The test rows.
        label: The column to predict; it is missing in no row.
        task: binary, multiclass or regression.
        labels: The labels' texts in the order of the result; the positive one last if there are two.

    Returns:
        An array (rows,): the positive label's probability, or the number; for multiclass an array
        (rows, labels) of probabilities.
    """
    names = [name for name in train.columns if name != label]
    kinds = [kind_of(train[name]) for name in names]
    inputs, asked = _converted(train[names], kinds), _converted(test[names], kinds)
    target = encoded(train[label], task, labels)
    # On few rows more threads only wait for each other: minutes, beside other work.
    with threadpool_limits(1):
        fitted = _best(inputs, kinds, target, task).fit(inputs, target)
    if task == "regression":
        return np.asarray(fitted.predict(asked))
    found = np.zeros((len(asked), len(labels)))
    found[:, fitted.classes_] = fitted.predict_proba(asked)
    return found[:, 1] if task == "binary" else found


def encoded(target: pd.Series, task: str, labels: Sequence[str]) -> np.ndarray:
    """Return the labels as their positions in `labels`, or the numbers to predict.

    Raises:
        ValueError: A label is not among `labels`.
    """
    if task == "regression":
        return target.astype(float).to_numpy()
    places = {text: place for place, text in enumerate(labels)}
    texts = [label_text(value) for value in target]
    if strange := sorted({text for text in texts if text not in places}):
        raise ValueError(f"labels {strange} are not among {list(labels)}")
    return np.array([places[text] for text in texts], int)


def label_text(value: Any) -> str:
    """Return a label as text: true and false in lower case, a whole number without a point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return text.lower() if text.lower() in ("true", "false") else text


def kind_of(column: pd.Series) -> str:
    """Return what a column holds, by its values: NUMBER, DATE or TEXT."""
    known = column.dropna()
    if pd.api.types.is_bool_dtype(column) or known.map(lambda value: isinstance(value, bool)).all():
        return NUMBER if known.empty else TEXT
    if pd.api.types.is_numeric_dtype(column) or known.map(lambda v: isinstance(v, Decimal)).all():
        return NUMBER
    if pd.api.types.is_datetime64_any_dtype(column) or known.map(lambda v: isinstance(v, date)).all():
        return DATE
    texts = known.astype(str).str.strip()
    if texts.str.fullmatch(ISO_DATE).all():
        return DATE
    return NUMBER if _numbers(texts).notna().all() else TEXT


def scores(task: str, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return the metrics of predictions: first the one that decides.

    Args:
        task: binary, multiclass or regression.
        truth: What `encoded` returned for the rows.
        predicted: What `predict_plainly` returned for the rows, or the same from another model.
    """
    if task == "binary":
        return {"roc_auc": float(metrics.roc_auc_score(truth, predicted))}
    if task == "multiclass":
        likely = np.clip(predicted[np.arange(len(truth)), truth], 1e-15, 1)
        right = predicted.argmax(axis=1) == truth
        return {"log_loss": float(-np.log(likely).mean()), "accuracy": float(right.mean())}
    return {
        "rmse": float(metrics.root_mean_squared_error(truth, predicted)),
        "r2": float(metrics.r2_score(truth, predicted)),
    }


def resampled(
    task: str, truth: np.ndarray, models: Sequence[np.ndarray], repeats: int = 500
) -> np.ndarray:
    """Return the deciding metric of several models on the same resamples of the rows (bootstrap).

    The standard deviation of a column is the standard error of a model's metric; that of the difference
    of two columns is the standard error of the difference.

    Args:
        task: binary, multiclass or regression.
        truth: What `encoded` returned for the rows.
        models: The predictions of each model for the rows.
        repeats: Number of resamples; one with a single label is drawn again.

    Returns:
        An array (repeats, models).
    """
    rng, name = np.random.default_rng(SEED), DECISIVE[task][0]
    found: list[list[float]] = []
    while len(found) < repeats:
        rows = rng.integers(0, len(truth), len(truth))
        if task == "binary" and len(set(truth[rows])) < 2:
            continue
        found.append([scores(task, truth[rows], predicted[rows])[name] for predicted in models])
    return np.array(found)


def guessed(task: str, target: np.ndarray, rows: int, labels: int) -> np.ndarray:
    """Return the predictions of a guess that knows the training rows' label alone.

    Args:
        task: binary, multiclass or regression.
        target: What `encoded` returned for the training rows.
        rows: Number of rows to predict.
        labels: Number of labels.
    """
    if task == "regression":
        return np.full(rows, target.mean())
    shares = np.bincount(target, minlength=labels) / len(target)
    return np.full(rows, shares[1]) if task == "binary" else np.tile(shares, (rows, 1))


def _best(inputs: pd.DataFrame, kinds: Sequence[str], target: np.ndarray, task: str) -> Pipeline:
    """Return the pipeline of the model with the best mean over the folds."""
    folding = KFold if task == "regression" else StratifiedKFold
    folds = folding(FOLDS, shuffle=True, random_state=SEED)
    made = [make_pipeline(_encoder(inputs, kinds), model) for model in _models(task)]
    return max(
        made,
        key=lambda one: cross_val_score(one, inputs, target, cv=folds, scoring=SCORERS[task]).mean(),
    )


def _models(task: str) -> list[Any]:
    """Return boosting as it is by default, a smaller one that suits few rows, and a linear model."""
    is_number = task == "regression"
    boosting = HistGradientBoostingRegressor if is_number else HistGradientBoostingClassifier
    small = boosting(random_state=SEED, max_depth=3, max_iter=50)
    linear = Ridge() if is_number else LogisticRegression(max_iter=2000)
    return [boosting(random_state=SEED), small, linear]


def _encoder(inputs: pd.DataFrame, kinds: Sequence[str]) -> ColumnTransformer:
    chosen: dict[str, list[str]] = {"numbers": [], "few": [], "many": []}
    for name, kind in zip(inputs.columns, kinds, strict=True):
        size = "few" if inputs[name].nunique() <= MANY else "many"
        chosen[size if kind == TEXT else "numbers"].append(name)
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    parts = [
        ("numbers", make_pipeline(filled, StandardScaler()), chosen["numbers"]),
        ("few", OneHotEncoder(handle_unknown="ignore"), chosen["few"]),
        ("many", OneHotEncoder(handle_unknown="ignore", min_frequency=RARE), chosen["many"]),
    ]
    # Boosting takes no sparse matrix.
    return ColumnTransformer(parts, sparse_threshold=0)


def _converted(frame: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    """Return columns by the kinds of the training rows, named by position: users' names may be odd."""
    convert = {NUMBER: _numbers, DATE: _days, TEXT: _texts}
    columns = [convert[kind](frame.iloc[:, place]) for place, kind in enumerate(kinds)]
    return pd.DataFrame({f"c{place}": column for place, column in enumerate(columns)})


def _numbers(column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    texts = column.astype("string").str.replace(UNITS, "", regex=True)
    return pd.to_numeric(texts, errors="coerce").astype("Float64").astype(float)


def _days(column: pd.Series) -> pd.Series:
    moments = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    return (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)


def _texts(column: pd.Series) -> pd.Series:
    return column.astype("string").fillna("").astype(object)
