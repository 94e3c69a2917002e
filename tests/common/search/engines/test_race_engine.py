import pytest

from common.data.target import TWO
from common.errors import UserError
from common.learning.learners import get_learner, race
from common.search.engines import race as module
from common.search.engines.boosting.driver import BoostingEngine
from common.search.engines.choice import choose_engine
from common.search.engines.mllib import MllibEngine
from common.search.engines.race import RaceEngine
from common.search.folds import fold_data
from common.search.result import CandidateFailure

GBT, XGBOOST, LOGISTIC = (get_learner(name) for name in ("gbt", "xgboost", "logistic_regression"))
CANDIDATES = [
    ({"maxDepth": 2, "maxIter": 2}, GBT, BoostingEngine),
    ({"maxDepth": 2, "maxIter": 4}, GBT, BoostingEngine),
    ({"max_depth": 2, "n_estimators": 3}, XGBOOST, BoostingEngine),
    ({"regParam": 0.1}, LOGISTIC, MllibEngine),
]


@pytest.fixture(scope="module")
def data(vectors):
    return fold_data(vectors, 3, TWO)


def engine(data, names=("maxDepth", "max_depth", "regParam")):
    return RaceEngine(race([GBT, XGBOOST, LOGISTIC]), "auto", names, data, 7, 0)


def test_learners_score_in_a_race_as_they_do_alone(data):
    named = [{"learner": learner.name, **candidate} for candidate, learner, _ in CANDIDATES]
    raced = {one.name: one.folds for one in engine(data).evaluate(named)}
    assert len(raced) == len(CANDIDATES)
    for (candidate, learner, alone), whole in zip(CANDIDATES, named, strict=True):
        (found,) = alone(data, learner, 7).evaluate([candidate])
        name = " ".join(f"{key}={whole[key]}" for key in sorted(whole))
        assert raced[name] == found.folds, name


def test_engines_are_named_with_their_learners(data):
    choice = engine(data).choice
    assert choice.engine == "boosting, mllib"
    assert choice.reason.startswith("boosting for gbt, xgboost (the rows need")
    assert choice.reason.endswith("mllib for logistic_regression (the only one)")


def test_parameter_of_one_engine_alone_counts_only_for_the_learner_that_has_it(data):
    chosen = engine(data, ("minInfoGain", "max_depth", "regParam")).choices
    assert {name: one.engine for name, one in chosen.items()} == {
        "gbt": "mllib",
        "xgboost": "boosting",
        "logistic_regression": "mllib",
    }


def test_learner_without_an_engine_fails_and_the_others_are_scored(data, monkeypatch):
    def choose(learner, *rest):
        if learner is XGBOOST:
            raise UserError("the rows need 9 TB")
        return choose_engine(learner, *rest)

    monkeypatch.setattr(module, "choose_engine", choose)
    named = [{"learner": "xgboost", "max_depth": 2}, {"learner": "gbt", "maxDepth": 2, "maxIter": 2}]
    failed, scored = engine(data).evaluate(named)
    assert failed == CandidateFailure(named[0], "the rows need 9 TB")
    assert scored.parameters == named[1]
