"""The training rows as arrays, which the boosting engine broadcasts to all workers once per search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from common.search.engines.boosting.thresholds import split_thresholds

# Values of a feature, and for each row the index of its own.
Values = tuple[np.ndarray, np.ndarray | slice]
EVERY = slice(None)
# So many have indices of two bytes.
FEW_VALUES = 1 << 16


@dataclass(frozen=True)
class Features:
    """Rows of features as XGBoost is to see them.

    Attributes:
        numbers: Values or bins of the numeric features (rows x numbers).
        places: Indices of the numeric features, ascending.
        indicators: The other features, 1 where a row has them (rows x features, CSR, indices ascending).
        one: What each indicator is to be in the rows that have it (features, float32).
    """

    numbers: np.ndarray
    places: np.ndarray
    indicators: sp.csr_matrix
    one: np.ndarray

    @property
    def stored(self) -> int:
        """The number of values that are stored: all numbers, and the indicators that rows have."""
        return int(self.numbers.size + self.indicators.nnz)

    def take(self, rows: np.ndarray | slice) -> "Features":
        """Return some of the rows."""
        return Features(self.numbers[rows], self.places, self.indicators[rows], self.one)

    def csr(self) -> sp.csr_matrix:
        """Return one matrix (rows x features, CSR, float32).

        A zero of a number is stored, since a gap means that a row does not have the feature.
        """
        (count, width), there = self.numbers.shape, self.indicators
        pointers = there.indptr.astype(np.int64) + np.arange(count + 1) * width
        # In its row an indicator comes after the indicators and the numbers of lower features.
        lower = np.searchsorted(self.places, np.arange(there.shape[1]))
        of_rows_before = np.repeat(np.arange(count) * width, np.diff(there.indptr))
        at = np.arange(there.nnz) + of_rows_before + lower[there.indices]
        is_number = np.ones(pointers[-1], bool)
        is_number[at] = False
        indices, data = np.empty(pointers[-1], np.int32), np.empty(pointers[-1], np.float32)
        indices[at], data[at] = there.indices, self.one[there.indices]
        indices[is_number], data[is_number] = np.tile(self.places, count), self.numbers.ravel()
        return sp.csr_matrix((data, indices, pointers), there.shape)


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
        value = self.values[features.indices]
        has = np.where(value > 0, features.data > value / 2, features.data <= value / 2) & (value != 0)
        # A feature's own place stays out: its bin is written for every row.
        has &= ~np.isin(features.indices, self.places)
        parts = (has.astype(np.float32), features.indices, features.indptr)
        there = sp.csr_matrix(parts, features.shape, copy=True)
        there.eliminate_zeros()
        numbers = [(column, EVERY) for column in features[:, self.places].toarray().T]
        return Features(self.bins(features.shape[0], numbers), self.places, there, self.one).csr()

    def bins(self, rows: int, numbers: Sequence[Values]) -> np.ndarray:
        """Return the bins of numeric features (rows x numbers), in as few bytes as hold the last one."""
        last = max((len(cuts) for cuts in self.numbers), default=0)
        found = np.empty((rows, len(self.numbers)), np.min_scalar_type(last))
        for column, (cuts, (values, at)) in enumerate(zip(self.numbers, numbers, strict=True)):
            found[:, column] = np.searchsorted(cuts, values, side="left").astype(found.dtype)[at]
        return found


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

    def features(self) -> Features:
        """Return all features for fitting trees, numbers as they are."""
        return Features(
            self.numbers, self.places, self.indicators, np.ones(self.indicators.shape[1], np.float32)
        )

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

    def binned(self, cuts: Cuts) -> Features:
        """Return all features as bin numbers; an indicator that is constant to Spark is NaN."""
        return Features(
            cuts.bins(len(self.numbers), self._values), self.places, self.indicators, cuts.one
        )

    @cached_property
    def _values(self) -> list[Values]:
        """The numeric features' values, those of a feature that has few of them once each."""
        found: list[Values] = []
        for column in self.numbers.T:
            distinct, at = np.unique(column, return_inverse=True)
            few = len(distinct) <= FEW_VALUES
            found.append((distinct, at.astype(np.uint16)) if few else (column, EVERY))
        return found


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
