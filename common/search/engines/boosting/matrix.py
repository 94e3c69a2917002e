"""The training rows as arrays, which the boosting engine broadcasts to all workers once per search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from common.search.engines.boosting.thresholds import split_thresholds


@dataclass(frozen=True)
class Cuts:
    """How the features of a fit are cut into bins.

    Attributes:
        places: Indices of the numeric features, ascending.
        numbers: For each of them, its thresholds, ascending; a value's bin is how many are below it.
        one: For each feature, the bin of an indicator in the rows that have it; NaN if it is constant to
            Spark, which then has no split of it.
        values: For each feature, the value of an indicator in the training rows that have it.
    """

    places: np.ndarray
    numbers: Sequence[np.ndarray]
    one: np.ndarray
    values: np.ndarray

    def binned(self, features: sp.csr_matrix) -> sp.csr_matrix:
        """Return any rows' features as bin numbers.

        A row has an indicator if the feature is nearer to the indicator's value than to 0.

        Args:
            features: The features as Spark has them (rows x features, float64).
        """
        numbers = features[:, self.places].toarray()
        bins = np.empty(numbers.shape, np.float32)
        for column, cuts in enumerate(self.numbers):
            bins[:, column] = _bins(cuts, numbers[:, column])
        value = self.values[features.indices]
        has = np.where(value > 0, features.data > value / 2, features.data <= value / 2) & (value != 0)
        # A feature's own place stays out: its bin is written for every row.
        has &= ~np.isin(features.indices, self.places)
        parts = (has.astype(np.float32), features.indices, features.indptr)
        there = sp.csr_matrix(parts, features.shape, copy=True)
        there.eliminate_zeros()
        none = np.zeros(features.shape[0])
        return FoldMatrix(bins, self.places, there, none, none).filled(bins, self.one)


def _bins(cuts: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.searchsorted(cuts, values, side="left").astype(np.float32)


@dataclass(frozen=True)
class FoldMatrix:
    """Rows of features, with label and fold.

    A feature that is either zero or one other value, such as an encoded category, is an indicator: its
    values are not stored, only whether a row has it.

    Attributes:
        numbers: Values of the numeric features, those with at least two distinct non-zero values (rows x
            numbers, float64).
        places: Indices of the numeric features in the feature vector, ascending.
        indicators: The other features, 1 where a row has them (rows x features, CSR).
        label: Index of each row's label, or the number to predict (rows, float64).
        fold: The fold of each row, in which it is left out of training (rows, int32).
        weight: Weight of each row in a fit (rows, float64); None if all weigh the same.
        values: What each indicator is in the rows that have it (features, float64), 0 for a feature that
            is no indicator; None if all are 1.
    """

    numbers: np.ndarray
    places: np.ndarray
    indicators: sp.csr_matrix
    label: np.ndarray
    fold: np.ndarray
    weight: np.ndarray | None = None
    values: np.ndarray | None = None

    @property
    def nbytes(self) -> int:
        """Size of all arrays in bytes."""
        csr = self.indicators
        each_row = (self.label, self.fold, self.weight, self.values)
        arrays = (self.numbers, csr.data, csr.indices, csr.indptr, *each_row)
        return sum(array.nbytes for array in arrays if array is not None)

    def raw(self) -> sp.csr_matrix:
        """Return all features for fitting trees; zeros of numeric features are stored explicitly."""
        one = np.ones(self.indicators.shape[1], np.float32)
        return self.filled(self.numbers.astype(np.float32), one)

    def cuts(self, sample: np.ndarray, rows: float, max_bins: int) -> Cuts:
        """Return how Spark would cut the features into bins.

        Args:
            sample: Indices of the rows from which thresholds are chosen.
            rows: Expected number of those rows, or their expected weight.
            max_bins: Maximum number of bins per feature.
        """
        # Spark treats an indicator as constant if none or all of the sampled rows have it.
        weight = None if self.weight is None else self.weight[sample]
        sampled = self.indicators[sample]
        repeated = None if weight is None else np.repeat(weight, np.diff(sampled.indptr))
        having = np.bincount(sampled.indices, repeated, minlength=self.indicators.shape[1])
        tiny = np.finfo(float).eps * len(sample) * 100
        one = np.where((having > 0) & (rows - having > tiny), np.float32(1), np.float32(np.nan))
        columns = self.numbers[sample].T
        numbers = [split_thresholds(column, rows, max_bins, weight) for column in columns]
        values = np.ones(len(one)) if self.values is None else self.values
        return Cuts(self.places, numbers, one, values)

    def binned(self, cuts: Cuts) -> tuple[sp.csr_matrix, sp.csr_matrix]:
        """Return all features as bin numbers.

        Returns:
            The bin numbers (rows x features), NaN where a row has an indicator that is constant to Spark;
            and a matrix with each bin once (bins x features).
        """
        bins = np.empty(self.numbers.shape, np.float32)
        for column, (distinct, places) in enumerate(self._distinct):
            bins[:, column] = _bins(cuts.numbers[column], distinct)[places]
        return self.filled(bins, cuts.one), self._each_bin(bins.max(axis=0), cuts.one)

    @cached_property
    def _distinct(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each numeric feature, its distinct values (ascending) and the index of each row's value."""
        found = [np.unique(values, return_inverse=True) for values in self.numbers.T]
        return [(distinct, places.astype(np.int32)) for distinct, places in found]

    def filled(self, numbers: np.ndarray, one: np.ndarray) -> sp.csr_matrix:
        """Return all features, with `numbers` for numeric features and `one` for present indicators."""
        pointers, indices, is_number = self._form
        data = one[indices]
        # Each row's indices ascend, as its numbers do.
        data[is_number] = numbers.ravel()
        return sp.csr_matrix((data, indices, pointers), self.indicators.shape)

    def _each_bin(self, last: np.ndarray, one: np.ndarray) -> sp.csr_matrix:
        """Return rows that cover all bins of every numeric feature; the first has all indicators."""
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
        """The CSR row pointers and column indices of all features, and whether each is of a number."""
        # The zeros of numeric features must be stored, since a gap means that a row does not have the
        # feature. SciPy's addition drops zeros, so it adds only where something is stored.
        (count, width), indicators = self.numbers.shape, self.indicators
        shape = indicators.shape
        places, starts = np.tile(self.places, count), np.arange(count + 1) * width
        numbers = sp.csr_matrix((np.ones(count * width, bool), places, starts), shape)
        stored = np.ones(indicators.nnz, bool)
        both = numbers + sp.csr_matrix((stored, indicators.indices, indicators.indptr), shape)
        both.sort_indices()
        is_number = np.zeros(shape[1], bool)
        is_number[self.places] = True
        return both.indptr, both.indices, is_number[both.indices]


def sparse_rows(table: pa.Table) -> sp.csr_matrix:
    """Build a matrix from the parts of Spark's vectors; dense ones have only values.

    Args:
        table: The columns size, indices and values.

    Returns:
        The vectors' values other than 0 (rows x features, CSR, float64).
    """
    values, indices = (table[name].combine_chunks() for name in ("values", "indices"))
    lengths = np.diff(values.offsets.to_numpy())
    sparse = np.asarray(table["size"].is_valid())
    size = int(lengths[~sparse][0]) if not sparse.all() else int(table["size"][0].as_py())
    places = np.empty(int(lengths.sum()), np.int32)
    in_sparse = np.repeat(sparse, lengths)
    places[in_sparse] = indices.flatten().to_numpy()
    places[~in_sparse] = np.tile(np.arange(size), int((~sparse).sum()))
    pointers = np.concatenate([[0], lengths.cumsum()])
    found = sp.csr_matrix(
        (values.flatten().to_numpy(), places, pointers), (len(lengths), size), copy=True
    )
    found.eliminate_zeros()
    return found


@dataclass(frozen=True)
class Samples:
    """The rows from which thresholds are chosen, for each fold that is left out, or for WHOLE.

    Attributes:
        places: The indices of the sampled rows in the matrix.
        rows: The expected number of sampled rows.
    """

    places: Mapping[int, np.ndarray]
    rows: Mapping[int, float]


# In place of a fold: none is left out.
WHOLE = -1
# Samples by the number of rows that they were drawn for.
SamplesBySize = Mapping[int, Samples]
