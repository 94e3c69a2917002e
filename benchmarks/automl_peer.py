"""FLAML or AutoGluon on the same rows, in an environment of its own: `automl` starts this file.

PYTHON automl_peer.py PEER FOLDER: reads train.parquet, test.parquet and asked.json there, writes
predicted.npy and facts.json. It imports nothing of the project, since the peers pin other versions.
"""

import json
import pickle
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

FLAML_METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
AUTOGLUON_METRICS = {
    "binary": "roc_auc",
    "multiclass": "log_loss",
    "regression": "root_mean_squared_error",
}
LATENCY_RUNS = 100


class Fitted(NamedTuple):
    """A fitted peer: its predictions for the test rows, its time in seconds, and what is shipped."""

    predicted: Any
    seconds: float
    kept: Path
    predict: Any
    best: Any


def flaml(train: pd.DataFrame, test: pd.DataFrame, asked: dict[str, Any], folder: Path) -> Fitted:
    """Fit it to the training rows."""
    from flaml import AutoML

    label, task = asked["label"], asked["task"]
    automl, inputs = AutoML(), [name for name in train if name != label]
    started = time.perf_counter()
    automl.fit(
        train[inputs],
        train[label],
        task="regression" if task == "regression" else "classification",
        metric=FLAML_METRICS[task],
        time_budget=60 * asked["minutes"],
        seed=asked["seed"],
        n_jobs=asked["cores"],
        verbose=0,
    )
    seconds = time.perf_counter() - started
    kept = folder / "flaml.pickle"
    kept.write_bytes(pickle.dumps(automl))
    if task == "regression":
        return Fitted(automl.predict(test[inputs]), seconds, kept, automl.predict, automl.best_estimator)
    order = [list(automl.classes_).index(name) for name in asked["labels"]]
    found = automl.predict_proba(test[inputs])[:, order]
    return Fitted(found, seconds, kept, automl.predict_proba, automl.best_estimator)


def autogluon(train: pd.DataFrame, test: pd.DataFrame, asked: dict[str, Any], folder: Path) -> Fitted:
    """Fit it to the training rows."""
    from autogluon.tabular import TabularPredictor

    label, task = asked["label"], asked["task"]
    kept = folder / "autogluon"
    started = time.perf_counter()
    predictor = TabularPredictor(
        label, problem_type=task, eval_metric=AUTOGLUON_METRICS[task], path=str(kept), verbosity=0
    )
    predictor.fit(
        train,
        presets="medium_quality",
        time_limit=60 * asked["minutes"],
        num_cpus=asked["cores"],
    )
    seconds = time.perf_counter() - started
    best = predictor.model_best
    if task == "regression":
        return Fitted(predictor.predict(test).to_numpy(), seconds, kept, predictor.predict, best)
    found = predictor.predict_proba(test)[asked["labels"]].to_numpy()
    return Fitted(found, seconds, kept, predictor.predict_proba, best)


PEERS = {"flaml": flaml, "autogluon": autogluon}


def main(peer: str, folder: Path) -> None:
    """Fit a peer and write what it predicts."""
    asked = json.loads((folder / "asked.json").read_text())
    train, test = (pd.read_parquet(folder / f"{side}.parquet") for side in ("train", "test"))
    for frame in (train, test):
        for name in frame.select_dtypes(["object", "string"]):
            frame[name] = frame[name].astype(object if name == asked["label"] else "category")
    predicted, seconds, kept, predict, best = PEERS[peer](train, test, asked, folder)
    np.save(folder / "predicted.npy", np.asarray(predicted, float))
    one = test.drop(columns=asked["label"]).head(1)
    taken = []
    for _ in range(LATENCY_RUNS):
        started = time.perf_counter()
        predict(one)
        taken.append(time.perf_counter() - started)
    files = [kept] if kept.is_file() else [file for file in kept.rglob("*") if file.is_file()]
    facts = {
        "seconds": seconds,
        "megabytes": sum(file.stat().st_size for file in files) / 1e6,
        "milliseconds": 1000 * median(taken),
        "best": str(best),
    }
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
