from common.metrics import METRICS
from common.search.result import CandidateFailure, CandidateResult, candidates_table, ranked


def candidate(depth, *values):
    folds = tuple(dict.fromkeys(METRICS, value) for value in values)
    return CandidateResult({"maxDepth": depth}, folds, 1.0)


def test_best_has_the_highest_mean_or_the_lowest_loss():
    low, high = candidate(1, 0.1, 0.3), candidate(2, 0.3, 0.5)
    assert ranked([low, high], "f1")[0] is high
    assert ranked([low, high], "log_loss")[0] is low


def test_best_of_equals_does_not_depend_on_their_order():
    one, two = candidate(1, 0.5), candidate(2, 0.5)
    assert ranked([one, two], "f1")[0] is ranked([two, one], "f1")[0]


def test_failed_candidates_stand_last_with_their_error():
    failures = [CandidateFailure({"maxDepth": depth}, "no") for depth in (9, 8)]
    drawn = {"maxDepth=1": [0, 1], "maxDepth=8": [1], "maxDepth=9": [2]}
    table = candidates_table([candidate(1, 0.1, 0.3)], "f1", failures, drawn)
    assert list(table["maxDepth"]) == [1, 8, 9]
    assert list(table["error"].isna()) == [True, False, False]
    assert list(table["generations"]) == ["0 1", "1", "2"]


def test_table_has_each_folds_score_of_the_metric_that_ranks():
    table = candidates_table([candidate(1, 0.1, 0.3)], "roc_auc")
    folds = [name for name in table.columns if "_fold_" in name]
    assert folds == ["val_roc_auc_fold_0", "val_roc_auc_fold_1"]
    assert table[folds].to_numpy().tolist() == [[0.1, 0.3]]


def test_table_has_a_row_a_candidate_best_first():
    table = candidates_table([candidate(1, 0.1, 0.3), candidate(2, 0.3, 0.5)], "f1")
    assert list(table["maxDepth"]) == [2, 1]
    assert list(table["val_f1"]) == [0.4, 0.2]
    assert list(table["val_f1_std"].round(6)) == [0.1, 0.1]
    assert {f"val_{metric}" for metric in METRICS} <= set(table.columns)
