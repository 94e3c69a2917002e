"""What a search makes of what was asked for, beside features that are logged as by the step."""

from types import SimpleNamespace

import mlflow
import pytest

from common.errors import UserError
from common.learning.learners import LEARNERS, get_learner
from common.search.search import Settings
from common.store import tracking
from common.store.searches import settings_of, suited

BINARY = [name for name, one in LEARNERS.items() if "binary" in one.fittings]


@pytest.mark.parametrize(
    ("missing", "engine", "racing", "why"),
    [
        ("impute", "auto", BINARY, ""),
        ("native", "auto", ["xgboost"], "it takes no missing=native"),
        ("impute", "boosting", ["gbt", "xgboost"], "engine=boosting does not have it"),
    ],
)
def test_learners_that_cannot_race_are_told_with_the_reason(store, missing, engine, racing, why):
    with mlflow.start_run() as features:
        mlflow.log_param("missing", missing)
    told = []
    run = SimpleNamespace(
        dataset=lambda name: SimpleNamespace(task="binary"),
        uri=lambda name: f"runs:/{features.info.run_id}",
        tell=told.append,
    )
    settings = suited(Settings(get_learner("auto"), engine, "auto", 2, 1, 1), run)
    assert {one.name for one in settings.learner.entrants} == {*racing}
    assert sorted(told) == sorted(f"{name} does not race: {why}" for name in BINARY if name not in racing)


def test_step_between_featurize_and_a_search_keeps_missing_numbers_known(store):
    """A linear model was searched on missing numbers, and every candidate failed with a trace."""
    with mlflow.start_run() as featurize:
        mlflow.log_param("missing", "native")
    with mlflow.start_run(tags={f"{tracking.INPUT}features": f"runs:/{featurize.info.run_id}"}) as select:
        mlflow.log_param("keep", 8)
    run = SimpleNamespace(
        dataset=lambda name: SimpleNamespace(task="binary"),
        uri=lambda name: f"runs:/{select.info.run_id}",
    )
    settings = Settings(get_learner("logistic_regression"), "auto", "auto", 2, 1, 1)
    with pytest.raises(UserError, match="'logistic_regression' does not take missing=native"):
        suited(settings, run)


def test_grid_search_like_another_has_its_input_and_what_is_not_the_default():
    """The command on a search's page searched the default data set, over five folds."""
    asked = {"features": "runs:/2", "source": "my.csv", "folds": "3", "seed": "42", "metric": "auto"}
    of_genetic = {"population": "8", "learner": "gbt", "minutes": "2.0"}
    assert settings_of({**asked, **of_genetic}) == ["features=runs:/2", "folds=3", "minutes=2.0"]
