from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from common.search.engines.boosting.matrix import Cuts, FoldMatrix
from common.search.engines.boosting.train_matrix import _each_bin

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
    assert rows(matrix.features().csr()) == [
        {0: 1, 1: 0.5, 3: 9},
        {0: 1, 1: 2.5, 3: 9},
        {1: 0, 3: 8},
        {1: 7, 2: 1, 3: 0},
    ]


def test_numbers_become_bins_cut_at_the_thresholds_of_the_sample(matrix):
    features = matrix.binned(matrix.cuts(np.array([0, 1, 2]), 3, 8)).csr()
    # Thresholds 0.25 and 1.5; and 8.5.
    assert [row[1] for row in rows(features)] == [1, 2, 0, 2]
    assert [row[3] for row in rows(features)] == [1, 1, 0, 0]


def test_indicator_that_the_sample_has_not_got_or_has_throughout_is_a_gap(matrix):
    none_has_2 = matrix.binned(matrix.cuts(np.array([0, 1, 2]), 3, 8)).csr()
    assert rows(none_has_2)[3] == {1: 2, 2: NAN, 3: 0}
    assert rows(none_has_2)[0][0] == 1
    all_have_0 = matrix.binned(matrix.cuts(np.array([0, 1]), 2, 8)).csr()
    assert rows(all_have_0)[0][0] == NAN


def test_each_bin_is_listed_with_all_indicators(matrix):
    each_bin = _each_bin(matrix.binned(matrix.cuts(np.array([0, 1, 2]), 3, 8)))
    assert rows(each_bin) == [{0: 1, 1: 0, 2: NAN, 3: 0}, {1: 1, 3: 1}, {1: 2, 3: 1}]


def test_rows_of_the_matrix_get_the_same_bins_as_rows_of_their_own(matrix):
    cuts = matrix.cuts(np.arange(4), 4, 8)
    raw = matrix.features().csr().astype(float)
    raw.data[np.isin(raw.indices, matrix.places)] = matrix.numbers.ravel()
    raw.eliminate_zeros()
    before = raw.copy()
    assert rows(cuts.binned(raw)) == rows(matrix.binned(cuts).csr())
    # What is given is left as it is.
    assert (raw != before).nnz == 0


def test_new_value_of_an_indicator_counts_by_which_side_of_the_middle_it_is_on():
    """As in Spark, whose threshold is the middle; with a negative value, the lower side has it."""
    cuts = Cuts(
        places=np.array([], int),
        numbers=[],
        one=np.array([1, 1, 1], np.float32),
        values=np.array([4.0, -3.0, 0.0]),
    )
    new = sp.csr_matrix(np.array([[4.0, -3, 5], [2, -1.5, 1], [2.5, -1, 0], [-9, 9, 0]]))
    assert rows(cuts.binned(new)) == [{0: 1, 1: 1}, {1: 1}, {0: 1}, {}]
