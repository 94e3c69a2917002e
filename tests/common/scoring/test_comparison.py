import numpy as np
import pandas as pd
import pytest

from common.scoring.comparison import TOLERANCE, _compared


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e9])
def test_numbers_are_compared_by_their_own_size(size):
    """A model that answers 0 is no other model's rounding, however small the numbers are."""
    numbers = pd.DataFrame({"prediction": size * np.random.default_rng(1).normal(size=100)})
    near, nothing = numbers * (1 + TOLERANCE / 10), numbers * 0
    assert _compared(near, numbers, 100).numbers == 0
    assert _compared(nothing, numbers, 100).numbers > 50


def test_number_near_zero_among_larger_ones_may_differ_by_their_rounding():
    numbers = pd.DataFrame({"prediction": [1e-12, 5.0, -3.0]})
    found = _compared(numbers + 1e-7, numbers, 3)
    assert (found.numbers, found.rows) == (0, 3)
    assert found.largest == pytest.approx(1e-7 / numbers["prediction"].std(ddof=0), rel=0.01)


def test_equal_numbers_are_compared_too():
    zeros = pd.DataFrame({"prediction": np.zeros(3)})
    assert _compared(zeros, zeros, 3).numbers == 0
    assert _compared(zeros + 1, zeros, 3).numbers == 3


def test_probabilities_are_compared_as_they_are():
    said = pd.DataFrame({"prediction": ["a", "b"], "probability": [1e-9, 0.5]})
    assert _compared(said.assign(probability=[2e-9, 0.5]), said, 2).numbers == 0
    found = _compared(said.assign(probability=[1e-9, 0.5001], prediction=["a", "a"]), said, 2)
    assert (found.labels, found.numbers) == (1, 1)
