"""Boosted trees stop where the folds say."""

from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
import scipy.sparse as sp
import xgboost as xgb
from sklearn import metrics as theirs

from common.data.target import BINARY, MULTICLASS, REGRESSION, TWO, Target
from common.learning.boosting_rule import Fit
from common.learning.learners import get_learner
from common.learning.tasks import TASKS
from common.search.engines.boosting.fit import OBJECTIVES, run_fits
from common.search.engines.boosting.matrix import FoldMatrix
from common.search.engines.shared_fit import shared_fits

XGBOOST = get_learner("xgboost")
ROWS, FOLDS = 900, 3
TARGETS = [TWO, Target(MULTICLASS, ("low", "middle", "high")), Target(REGRESSION, ())]
STOPS = {"n_estimators": 400, "early_stopping_rounds": 10, "learning_rate": 0.3, "max_depth": 3}


def matrix(target):
    generator = np.random.default_rng(8)
    numbers = generator.normal(size=(ROWS, 3))
    signal = numbers[:, 0] + numbers[:, 1] ** 2 + generator.normal(size=ROWS)
    label = {
        BINARY: signal > 1,
        MULTICLASS: np.digitize(signal, [0.3, 1.7]),
        REGRESSION: 50 * signal,
    }[target.task].astype(float)
    nothing = sp.csr_matrix((ROWS, 3), dtype=np.float32)
    return FoldMatrix(
        numbers, np.arange(3, dtype=np.int32), nothing, label, np.arange(ROWS) % FOLDS, None
    )


def outcome(candidate, target, rows=None):
    """The candidate's outcome, as the engine assembles it."""
    (group,) = shared_fits([candidate], XGBOOST)
    rule = XGBOOST.fitting(target.task).boosting(candidate)
    group.ends = rule.ends if rule.stopping else ()
    trees = group.ends or (rule.trees,)
    rows = rows or matrix(target)
    for result in run_fits([Fit(0, fold, rule, trees, 7, target) for fold in range(FOLDS)], rows, {}):
        assert not result.error
        group.folds[result.fold] = (result.seconds, result.scores)
    (found,) = group.outcomes(FOLDS, TASKS[target.task].loss)
    return found, group


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.task)
def test_scores_are_those_of_the_number_of_trees_that_is_best_over_the_folds(target):
    found, _ = outcome(STOPS, target)
    loss = TASKS[target.task].loss
    fixed = {**XGBOOST.fitted(STOPS, found.trees)}
    assert fixed == {"n_estimators": found.trees, "learning_rate": 0.3, "max_depth": 3}
    again, _ = outcome(fixed, target)
    assert again.folds == found.folds
    assert again.trees is None
    for other in (found.trees // 2, found.trees * 3):
        worse, _ = outcome({**fixed, "n_estimators": other}, target)
        assert worse.mean(loss) > found.mean(loss)
    assert found.parameters == STOPS


def test_folds_that_stop_early_are_not_fitted_to_the_end():
    found, group = outcome(STOPS, TWO)
    reached = [len(scores) for _, scores in group.folds.values()]
    assert max(reached) < len(group.ends)
    assert found.trees <= group.ends[min(reached) - 1]
    losses = [
        fmean(one.scores["log_loss"] for one in of_end)
        for of_end in zip(*(s for _, s in group.folds.values()), strict=False)
    ]
    assert group.ends[int(np.argmin(losses))] == found.trees


def weighted_loss(label, said, weight, target):
    if target.task == REGRESSION:
        return theirs.root_mean_squared_error(label, said, sample_weight=weight)
    return theirs.log_loss(label, said, sample_weight=weight, labels=range(target.classes))


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.task)
def test_fits_of_weighted_rows_stop_by_the_loss_of_weighted_rows(target):
    """Else a rare label that weighs more would be fitted until its probability is its share again."""
    rows = matrix(target)
    weight = np.where(rows.label >= np.quantile(rows.label, 0.9), 15.0, 1.0)
    found, group = outcome(STOPS, target, replace(rows, weight=weight))
    features, losses = rows.features().csr(), []
    objective, _ = OBJECTIVES[target.task]
    parameters = {"objective": objective, "tree_method": "hist", "max_depth": 3, "eta": 0.3, "seed": 7}
    parameters |= {"num_class": 3} if target.task == MULTICLASS else {}
    for fold in range(FOLDS):
        out = rows.fold == fold
        train = xgb.QuantileDMatrix(features[~out], rows.label[~out], weight=weight[~out])
        booster = xgb.train(parameters, train, group.ends[-1])
        each = [booster.inplace_predict(features[out], (0, trees)) for trees in group.ends]
        losses.append([weighted_loss(rows.label[out], said, weight[out], target) for said in each])
    assert found.trees == group.ends[int(np.argmin(np.mean(losses, axis=0)))]
    # Scores count each row once.
    once, _ = outcome({**XGBOOST.fitted(STOPS, found.trees)}, target, replace(rows, weight=weight))
    assert once.folds == found.folds


def test_never_more_trees_than_are_permitted():
    found, group = outcome({**STOPS, "n_estimators": 3}, TWO)
    assert group.ends == (1, 2, 3)
    assert found.trees == 3


def test_candidates_that_stop_share_no_fit():
    groups = shared_fits([STOPS, {**STOPS, "n_estimators": 50}], XGBOOST)
    assert [len(group.candidates) for group in groups] == [1, 1]


def test_ends_reach_the_largest_number_that_a_learner_permits():
    rule = XGBOOST.fitting(BINARY).boosting({**STOPS, "n_estimators": 10_000})
    assert rule.ends[:8] == (1, 2, 3, 4, 5, 6, 7, 8)
    assert rule.ends[-1] == 10_000
    assert all(
        after <= 1.25 * before + 1 for before, after in zip(rule.ends, rule.ends[1:], strict=False)
    )
