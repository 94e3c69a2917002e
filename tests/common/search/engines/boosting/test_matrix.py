from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from common.search.engines.boosting.matrix import FoldMatrix

NAN = pytest.approx(np.nan, nan_ok=True)


@pytest.fixture
def matrix():
    """Four rows: an indicator that two rows have, a number, an indicator that one row has, a number."""
    indicators = np.zeros((4, 4), np.float32)
    indicators[[0, 1], 0] = 1
    indicators[3, 2] = 1
    return FoldMatrix(
        numbers=np.array([[0.5, 9.0], [2.5, 9.0], [0.0, 8.0], [7.0, 0.0]]),
        places=np.array([1, 3], np.int32),
        indicators=sp.csr_matrix(indicators),
        label=np.zeros(4, np.float32),
        fold=np.zeros(4, np.int32),
    )


def rows(features):
    """Return the values of each row by column, in ascending order."""
    assert features.has_sorted_indices
    starts = features.indptr
    return [
        dict(zip(features.indices[a:b].tolist(), features.data[a:b].tolist(), strict=True))
        for a, b in pairwise(starts)
    ]


def test_numbers_stand_at_their_places_and_their_zeros_are_values(matrix):
    assert rows(matrix.raw()) == [
        {0: 1, 1: 0.5, 3: 9},
        {0: 1, 1: 2.5, 3: 9},
        {1: 0, 3: 8},
        {1: 7, 2: 1, 3: 0},
    ]


def test_numbers_become_bins_cut_at_the_thresholds_of_the_sample(matrix):
    features, _ = matrix.binned(matrix.cuts(np.array([0, 1, 2]), 3, 8))
    # Thresholds 0.25 and 1.5; and 8.5.
    assert [row[1] for row in rows(features)] == [1, 2, 0, 2]
    assert [row[3] for row in rows(features)] == [1, 1, 0, 0]


def test_indicator_that_the_sample_has_not_got_or_has_throughout_is_a_gap(matrix):
    none_has_2, _ = matrix.binned(matrix.cuts(np.array([0, 1, 2]), 3, 8))
    assert rows(none_has_2)[3] == {1: 2, 2: NAN, 3: 0}
    assert rows(none_has_2)[0][0] == 1
    all_have_0, _ = matrix.binned(matrix.cuts(np.array([0, 1]), 2, 8))
    assert rows(all_have_0)[0][0] == NAN


def test_each_bin_is_listed_with_all_indicators(matrix):
    _, each_bin = matrix.binned(matrix.cuts(np.array([0, 1, 2]), 3, 8))
    assert rows(each_bin) == [{0: 1, 1: 0, 2: NAN, 3: 0}, {1: 1, 3: 1}, {1: 2, 3: 1}]
