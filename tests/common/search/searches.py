"""Searches with known results, as the text of candidates.csv."""

import itertools

import numpy as np

from common.learning.tasks import ALL_METRICS
from common.search.findings.candidates import parse_candidates
from common.search.result import CandidateResult, candidates_table

# Some folds are harder than others, for all candidates alike.
HARDER = (0.0, 0.01, -0.02, 0.005, 0.005)


def result(parameters, score, noise=(0.0,) * 5, seconds=1.0):
    """A candidate with this mean score, which varies by fold."""
    scores = [score + harder + by_chance for harder, by_chance in zip(HARDER, noise, strict=True)]
    return CandidateResult(parameters, tuple(dict.fromkeys(ALL_METRICS, s) for s in scores), seconds)


def text(results, metric="f1", failures=(), generations=None):
    return candidates_table(results, metric, failures, generations).to_csv(index=False)


def grid(score, metric="f1", noise=0.0001, **values):
    """All combinations, scored by a function of the parameters plus noise."""
    draw = np.random.default_rng(7)
    candidates = [
        dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())
    ]
    results = [result(one, score(**one), draw.normal(0, noise, 5)) for one in candidates]
    return parse_candidates(text(results, metric))
