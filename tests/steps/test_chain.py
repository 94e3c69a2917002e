"""The steps in one process, by their own commands, twice with different splits."""

import mlflow
import pytest
from click.testing import CliRunner

from common import PROJECT
from common.data.target import TWO
from common.errors import UserError
from common.learning.vectorizer import FEATURES, LABEL
from common.search.folds import FOLD_RANK
from common.search.winner import pipeline_table
from common.store import frames, tracking
from common.store.registry import present_champion
from common.store.spark_models import load_spark_model
from steps.champion import champion
from steps.featurize import featurize
from steps.load_data import load_data
from steps.split import split
from steps.train_grid import train_grid

ADDED = (FEATURES, LABEL, FOLD_RANK)
GRID = '{"maxDepth": [2], "maxIter": [2], "stepSize": [0.3]}'


def features_of(search):
    return tracking.get_run(search).data.tags[f"{tracking.INPUT}features"]


def search(call, data, seed, grid=GRID):
    _, parts = call(split, data=data, seed=seed)
    _, features = call(featurize, split=parts)
    return call(train_grid, features=features, grid=grid, folds=2)[1]


@pytest.mark.slow
def test_champion_of_another_split_is_compared_on_rows_that_neither_was_trained_on(
    call, slice_file, spark, monkeypatch
):
    _, loaded = call(load_data, source=slice_file)
    first = search(call, f"{loaded}/data", seed=1)
    said, _ = call(champion, candidates=first)
    assert "version 1 is champion: there was no champion" in said
    second = search(call, f"{loaded}/data", seed=2, grid=f"{first}/next_grid.yaml")
    trained = [
        {
            tuple(row)
            for row in frames.read_frame(spark, f"{features_of(one)}/train").drop(*ADDED).collect()
        }
        for one in (first, second)
    ]
    rows = [tuple(row) for row in frames.read_frame(spark, f"{loaded}/data").collect()]
    unseen = sum(row not in trained[0] and row not in trained[1] for row in rows)
    assert unseen < 200
    said, _ = call(champion, candidates=second)
    assert f"there are {unseen} rows that neither was trained on" in said
    assert f"{PROJECT} version 2 is challenger: it cannot be compared with champion 1" in said
    monkeypatch.setattr("common.champion.unseen.LEAST_ROWS", 50)
    said, _ = call(champion, candidates=second, margin=0)
    assert f"on {unseen} rows that neither was trained on, in 5 parts" in said

    search_of_champion = present_champion(PROJECT).tags["search"]
    pipeline = load_spark_model(f"runs:/{search_of_champion}/spark-model")
    test = frames.read_frame(spark, f"{loaded}/data")
    with pytest.raises(UserError, match="age"):
        pipeline_table(pipeline, test.drop("age"), TWO)


@pytest.mark.slow
def test_input_that_is_another_steps_is_refused(call, store, slice_file):
    _, loaded = call(load_data, source=slice_file)
    for command, options, message in (
        (split, {"data": loaded}, f"data must be auto or runs:/<run id>/data, got '{loaded}'"),
        (featurize, {"split": loaded}, f"frame '{loaded}/train' cannot be read"),
        (champion, {"candidates": loaded}, "which is not a finished search"),
    ):
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 1
        assert message in result.stderr
        assert mlflow.MlflowClient().search_runs([store])[0].info.status == "FAILED"
