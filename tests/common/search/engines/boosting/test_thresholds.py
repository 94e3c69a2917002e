from itertools import pairwise

import numpy as np
import pytest

from common.search.engines.boosting.thresholds import sampled_rows, split_thresholds


def by_the_letter(values, rows, max_bins, weights=None):
    """Spark's loop over values and counts, with the zeros that its sparse vectors omit."""
    counts = {}
    weights = np.ones(len(values)) if weights is None else weights
    for value, weight in zip(values[values != 0], weights[values != 0], strict=True):
        counts[value] = counts.get(value, 0) + weight
    if rows - sum(counts.values()) > 1e-9:
        counts[0.0] = rows - sum(counts.values())
    pairs = sorted(counts.items())
    middles = [(a[0] + b[0]) / 2 for a, b in pairwise(pairs)]
    if len(middles) <= max_bins - 1:
        return middles
    stride, target, current, found = rows / max_bins, rows / max_bins, pairs[0][1], []
    for place, middle in enumerate(middles):
        before, current = current, current + pairs[place + 1][1]
        if abs(before - target) < abs(current - target):
            found.append(middle)
            target += stride
    return found


@pytest.mark.parametrize("max_bins", [2, 5, 8, 32, 40])
@pytest.mark.parametrize("kind", ["normal", "mostly zero", "few values", "no zero", "negative"])
def test_thresholds_are_those_of_sparks_loop(kind, max_bins):
    generator = np.random.default_rng(max_bins)
    values = {
        "normal": generator.normal(size=500),
        "mostly zero": generator.normal(size=500) * (generator.random(500) < 0.1),
        "few values": generator.integers(0, 4, 500).astype(float),
        "no zero": generator.integers(1, 90, 500).astype(float),
        "negative": generator.integers(-50, 5, 500).astype(float),
    }[kind]
    for rows in (500.0, 497.3, 503.6):
        found = split_thresholds(values, rows, max_bins)
        assert found.tolist() == by_the_letter(values, rows, max_bins)


@pytest.mark.parametrize("max_bins", [2, 5, 8, 32, 40])
@pytest.mark.parametrize("most", [1, 4])
def test_thresholds_are_those_of_sparks_loop_if_rows_weigh_nothing(most, max_bins):
    generator = np.random.default_rng(max_bins)
    values = generator.normal(size=500)
    weights = generator.integers(0, most + 1, 500).astype(float)
    found = split_thresholds(values, weights.sum(), max_bins, weights)
    assert found.tolist() == by_the_letter(values, weights.sum(), max_bins, weights)


def test_constant_has_no_threshold():
    assert split_thresholds(np.zeros(10), 10, 8).tolist() == []
    assert split_thresholds(np.full(10, 3.0), 10, 8).tolist() == []


def test_spark_samples_more_rows_for_many_bins():
    assert (sampled_rows(32), sampled_rows(100), sampled_rows(200)) == (10_000, 10_000, 40_000)
