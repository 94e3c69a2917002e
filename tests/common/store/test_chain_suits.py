"""A workflow refuses what does not suit its data set before anything is fitted."""

from dataclasses import replace

import mlflow
import pytest

from common.data.spec_yaml import load_spec
from common.errors import UserError
from common.store.chain import Chain
from common.store.get_or_run import StepRun
from common.store.step_run import RAREST_ROWS, TRAIN_ROWS
from common.workflow.declaration import entry_defaults


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"learner": "linear_svc", "task": "multiclass"}, "learner 'linear_svc' does not have the task"),
        ({"metric": "rmse"}, "metric of task binary must be one of"),
        ({"gates": '{"rmse": 1}'}, "gates asks for rmse, which task binary does not have"),
        ({"missing": "native"}, "learner 'gbt' does not take missing=native"),
        ({"balance": True, "task": "regression"}, "balance=true weighs labels"),
    ],
)
def test_what_does_not_suit_the_task_is_refused_before_the_split(store, given, message):
    task = given.pop("task", "binary")
    spec = replace(load_spec("adult"), task=task)
    asked = Chain(store, {**entry_defaults("main"), "balance": False, **given}, True, None)
    with pytest.raises(UserError, match=message):
        asked.suit(spec)


def test_more_folds_than_the_rarer_label_has_training_rows_are_refused(store):
    with mlflow.start_run() as active:
        mlflow.log_metrics({TRAIN_ROWS: 280, RAREST_ROWS: 4})
    split = StepRun("split", active.info.run_id, False, 0.0)
    Chain(store, {"folds": 4}, True, None).check_folds(split, "binary")
    with pytest.raises(UserError, match="folds must lie between 2 and 4"):
        Chain(store, {"folds": 5}, True, None).check_folds(split, "binary")
