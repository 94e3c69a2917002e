"""The training rows as arrays: what the boosting engine sends to every worker, once a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from common.search.thresholds import split_thresholds


@dataclass(frozen=True)
class FoldMatrix:
    """Rows of features, with label and fold.

    A feature that is zero or one other value, as an encoded category is, needs no values: a row has it
    or has it not.

    Attributes:
        numbers: values of the features that take more than two (rows x numbers, float64).
        places: their places in the feature vector, ascending.
        indicators: the other features, 1 where a row has them (rows x features, CSR).
        label: 0 or 1 (rows, float32).
        fold: that leaves the row out (rows, int32).
    """

    numbers: np.ndarray
    places: np.ndarray
    indicators: sp.csr_matrix
    label: np.ndarray
    fold: np.ndarray

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        csr = self.indicators
        arrays = (self.numbers, csr.data, csr.indices, csr.indptr, self.label, self.fold)
        return sum(array.nbytes for array in arrays)

    def raw(self) -> sp.csr_matrix:
        """Return all features as a tree takes them; a number's zero is a value, not a gap."""
        return self._joined(self.numbers.astype(np.float32), self.indicators)

    def binned(self, sample: np.ndarray, rows: float, max_bins: int) -> sp.csr_matrix:
        """Return all features as the numbers of their bins, cut as Spark cuts them.

        Args:
            sample: places of the rows that thresholds are chosen from.
            rows: how many those were expected to be.
            max_bins: at most this many bins a feature.
        """
        bins = np.empty(self.numbers.shape, np.float32)
        for column in range(self.numbers.shape[1]):
            values = self.numbers[:, column]
            cuts = split_thresholds(values[sample], rows, max_bins)
            bins[:, column] = np.searchsorted(cuts, values, side="left")
        # An indicator that the sample does not have, or that all of it has, is constant to Spark.
        having = np.bincount(self.indicators[sample].indices, minlength=self.indicators.shape[1])
        tiny = np.finfo(float).eps * len(sample) * 100
        kept = sp.diags_array(((having > 0) & (rows - having > tiny)).astype(np.float32))
        chosen = sp.csr_matrix(self.indicators @ kept)
        chosen.eliminate_zeros()
        return self._joined(bins, chosen)

    def _joined(self, numbers: np.ndarray, indicators: sp.csr_matrix) -> sp.csr_matrix:
        # Put together by hand: scipy's own stacking and adding drop zeros or sort row by row, and a
        # number's zero must stay, since a gap means that a row has not got the feature.
        count, width = numbers.shape
        pointers = indicators.indptr + np.arange(count + 1, dtype=np.int64) * width
        first = pointers[:-1, None] + np.arange(width)
        rest = np.ones(pointers[-1], bool)
        rest[first] = False
        data, indices = np.ones(pointers[-1], np.float32), np.empty(pointers[-1], np.int32)
        data[first], indices[first] = numbers, self.places
        indices[rest] = indicators.indices
        joined = sp.csr_matrix((data, indices, pointers), indicators.shape)
        joined.sort_indices()
        return joined


@dataclass(frozen=True)
class Samples:
    """From which rows thresholds are chosen, for each fold.

    Attributes:
        places: of the sampled rows in the matrix, for each fold.
        rows: how many were expected, for each fold.
    """

    places: Sequence[np.ndarray]
    rows: Sequence[float]


# Samples by how many rows they were to have.
SamplesBySize = Mapping[int, Samples]
