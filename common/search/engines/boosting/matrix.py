"""The training rows as arrays: what the boosting engine sends to every worker, once a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from common.search.engines.boosting.thresholds import split_thresholds


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
        one = np.ones(self.indicators.shape[1], np.float32)
        return self._filled(self.numbers.astype(np.float32), one)

    def binned(
        self, sample: np.ndarray, rows: float, max_bins: int
    ) -> tuple[sp.csr_matrix, sp.csr_matrix]:
        """Return all features as the numbers of their bins, cut as Spark cuts them.

        Args:
            sample: places of the rows that thresholds are chosen from.
            rows: how many those were expected to be.
            max_bins: at most this many bins a feature.

        Returns:
            Rows x features, NaN where a row has an indicator that is constant to Spark; and each bin
            once, bins x features.
        """
        # An indicator that the sample does not have, or that all of it has, is constant to Spark.
        having = np.bincount(self.indicators[sample].indices, minlength=self.indicators.shape[1])
        tiny = np.finfo(float).eps * len(sample) * 100
        one = np.where((having > 0) & (rows - having > tiny), np.float32(1), np.float32(np.nan))
        bins = np.empty(self.numbers.shape, np.float32)
        for column, (distinct, places) in enumerate(self._distinct):
            cuts = split_thresholds(self.numbers[sample, column], rows, max_bins)
            bins[:, column] = np.searchsorted(cuts, distinct, side="left").astype(np.float32)[places]
        return self._filled(bins, one), self._each_bin(bins.max(axis=0), one)

    @cached_property
    def _distinct(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each number its values, ascending, and which of them each row has."""
        found = [np.unique(values, return_inverse=True) for values in self.numbers.T]
        return [(distinct, places.astype(np.int32)) for distinct, places in found]

    def _filled(self, numbers: np.ndarray, one: np.ndarray) -> sp.csr_matrix:
        """Return all features, with these numbers, and `one` (of each feature) for an indicator."""
        pointers, indices, of_numbers = self._form
        data = one[indices]
        data[of_numbers] = numbers
        return sp.csr_matrix((data, indices, pointers), self.indicators.shape)

    def _each_bin(self, last: np.ndarray, one: np.ndarray) -> sp.csr_matrix:
        """Return rows that have each number's bins up to its last, and in the first all indicators."""
        features, width = len(one), len(self.places)
        first = one.copy()
        first[self.places] = 0
        others = np.minimum(np.arange(1, last.max(initial=0) + 1)[:, None], last)
        data = np.concatenate([first, others.ravel()]).astype(np.float32)
        indices = np.concatenate([np.arange(features), np.tile(self.places, len(others))])
        pointers = np.concatenate([[0], features + width * np.arange(len(others) + 1)])
        return sp.csr_matrix((data, indices, pointers), (len(others) + 1, features))

    @cached_property
    def _form(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows' pointers and indices, numbers included, and where in them the numbers stand."""
        # Put together by hand: scipy's own stacking and adding drop zeros, and a number's zero must
        # stay, since a gap means that a row has not got the feature.
        count, width = self.numbers.shape
        pointers = self.indicators.indptr + np.arange(count + 1, dtype=np.int64) * width
        first = pointers[:-1, None] + np.arange(width)
        rest = np.ones(pointers[-1], bool)
        rest[first] = False
        indices = np.empty(pointers[-1], np.int32)
        indices[first], indices[rest] = self.places, self.indicators.indices
        rows = sp.csr_matrix((np.empty(len(indices), bool), indices, pointers), self.indicators.shape)
        rows.sort_indices()
        is_number = np.zeros(self.indicators.shape[1], bool)
        is_number[self.places] = True
        of_numbers = np.flatnonzero(is_number[rows.indices]).reshape(count, width)
        return rows.indptr, rows.indices, of_numbers


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
