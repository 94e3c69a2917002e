"""A vote of two fast learners on two folds of 300 rows."""

from statistics import fmean

import numpy as np
import pytest

from common.data.target import TWO
from common.ensemble.member import Member
from common.ensemble.out_of_fold import mix_scores, out_of_fold, vote_scores
from common.ensemble.vote import weigh
from common.ensemble.weights import grid_of_mixes
from common.learning.learners import LEARNERS
from common.learning.metrics import METRICS
from common.learning.vectorizer import LABEL
from common.search.engines.mllib import MllibEngine
from common.search.folds import FOLD, fold_data

FOLDS = 2


METRIC = "f1_weighted"


def member(learner, **parameters):
    return Member("run", LEARNERS[learner], parameters, 42, FOLDS, "runs:/abc", METRIC)


@pytest.fixture(scope="module")
def members():
    return [member("random_forest", numTrees=2, maxDepth=2), member("logistic_regression", maxIter=3)]


@pytest.fixture(scope="module")
def data(vectors):
    return fold_data(vectors, FOLDS, TWO)


@pytest.fixture(scope="module")
def predictions(members, data):
    return out_of_fold(members, data)[0]


@pytest.fixture(scope="module")
def singles(members, data):
    """The score of each member on each fold, as its search scores it."""
    outcomes = [
        next(iter(MllibEngine(data, m.learner, m.seed).evaluate([m.parameters]))) for m in members
    ]
    return np.array([[fold[METRIC] for fold in outcome.folds] for outcome in outcomes])


def test_every_row_is_predicted_once_by_every_member(predictions, data):
    assert predictions.columns == [LABEL, FOLD, "0", "1"]
    counts = {row[FOLD]: row["count"] for row in predictions.groupBy(FOLD).count().collect()}
    assert counts == {fold: data.validation(fold).count() for fold in range(FOLDS)}


def test_mix_of_one_member_alone_scores_as_in_its_search(predictions, singles):
    f1 = mix_scores(predictions, np.eye(2), FOLDS, METRIC)
    assert np.abs(f1.T - singles).max() < 1e-12


@pytest.mark.parametrize(
    ("metric", "apart"), [("f1", 1e-12), ("accuracy", 1e-12), ("log_loss", 1e-9), ("roc_auc", 1e-3)]
)
def test_mix_is_counted_as_the_vote_is_scored(predictions, data, metric, apart):
    mixes = grid_of_mixes(2)[[0, 3, 7]]
    found = mix_scores(predictions, mixes, FOLDS, metric)
    for place, mix in enumerate(mixes):
        scores = [vote_scores(predictions, fold, mix, data.rows) for fold in range(FOLDS)]
        assert tuple(scores[0]) == METRICS
        assert np.abs(found[:, place] - [fold[metric] for fold in scores]).max() < apart


@pytest.fixture(scope="module")
def vote(members, data):
    return weigh(members, data)


def test_vote_is_scored_on_each_fold_by_weights_of_the_others(vote, members, predictions, singles):
    mixes = grid_of_mixes(2)
    f1 = mix_scores(predictions, mixes, FOLDS, METRIC)
    for fold in range(FOLDS):
        others = [place for place in range(FOLDS) if place != fold]
        chosen = f1[others].mean(axis=0).argmax()
        assert vote.result.folds[fold][METRIC] == pytest.approx(f1[fold, chosen], abs=1e-12)
    assert list(vote.weights) == mixes[f1.mean(axis=0).argmax()].tolist()
    # Chosen on all folds, weights look at least as good as they are.
    assert vote.result.mean(METRIC) <= f1.mean(axis=0).max() + 1e-12
    best = int(singles.mean(axis=1).argmax())
    assert vote.best_alone[0] == members[best].learner.name
    assert vote.best_alone[1] == pytest.approx(fmean(singles[best]))
    assert vote.table()["weight"].tolist() == list(vote.weights)


def test_same_members_give_the_same_vote(vote, members, data):
    again = weigh(members, data)
    assert (again.weights, again.result.folds) == (vote.weights, vote.result.folds)


def test_member_beside_itself_gains_nothing(data):
    twin = member("logistic_regression", maxIter=3)
    vote = weigh([twin, twin], data)
    assert list(vote.weights) == [0.5, 0.5]
    assert not vote.result.mean(METRIC) > vote.best_alone[1]
