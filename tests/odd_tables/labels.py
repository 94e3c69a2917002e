"""Tables with an odd label: many classes, rare ones, unusual values, and numbers to predict."""

import numpy as np
import pandas as pd

from .signal import amount, bent, classes, customers, either, pull, scaled
from .table import BINARY, MULTICLASS, REGRESSION, odd_table

QUOTED = ('not "good"', "it's fine", "so, so")
TEN = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay")


@odd_table("three classes", "size", MULTICLASS)
def three_classes(rng: np.random.Generator) -> pd.DataFrame:
    """Three classes in order."""
    frame = customers(rng, 800)
    return frame.assign(size=classes(rng, pull(frame), ["small", "medium", "large"]))


@odd_table("ten classes, in the first column", "animal", MULTICLASS)
def ten_classes(rng: np.random.Generator) -> pd.DataFrame:
    """Ten clusters in four dimensions."""
    place = rng.integers(0, 10, 1500)
    middles = rng.normal(0, 2, (10, 4))
    values = (middles[place] + rng.normal(0, 0.8, (1500, 4))).round(3)
    frame = pd.DataFrame(values, columns=["weight", "height", "speed", "age"])
    frame.insert(0, "animal", np.array(TEN)[place])
    return frame


@odd_table("classes of very different size: 80, 15 and 5%", "state", MULTICLASS)
def unequal_classes(rng: np.random.Generator) -> pd.DataFrame:
    """Two of three classes are rare."""
    frame = customers(rng, 1200)
    ranks = (scaled(pull(frame)) + rng.normal(0, 0.3, 1200)).argsort().argsort() / 1200
    return frame.assign(state=np.array(["fine", "late", "lost"])[np.digitize(ranks, [0.8, 0.95])])


@odd_table("a float to predict", "price", REGRESSION)
def float_target(rng: np.random.Generator) -> pd.DataFrame:
    """A price with two decimals."""
    frame = customers(rng, 800)
    return frame.assign(price=amount(rng, pull(frame), 250, 60).round(2))


@odd_table("an integer with many values to predict", "visits", REGRESSION)
def integer_target(rng: np.random.Generator) -> pd.DataFrame:
    """Counts from 0 to some thousand."""
    frame = customers(rng, 800)
    visits = np.exp(amount(rng, pull(frame), 5, 0.7))
    return frame.assign(visits=visits.round().astype(int))


@odd_table("3% positive", "fraud", BINARY)
def imbalanced(rng: np.random.Generator) -> pd.DataFrame:
    """45 of 1500 rows are positive."""
    frame = customers(rng, 1500)
    return frame.assign(fraud=either(rng, pull(frame), "no", "yes", share=0.03))


@odd_table("labels 0 and 1", "churned", BINARY)
def labels_0_1(rng: np.random.Generator) -> pd.DataFrame:
    """Labels that are integers."""
    frame = customers(rng, 600)
    return frame.assign(churned=either(rng, pull(frame), 0, 1))


@odd_table("labels True and False", "churned", BINARY)
def labels_true_false(rng: np.random.Generator) -> pd.DataFrame:
    """Labels as pandas writes booleans."""
    frame = customers(rng, 600)
    return frame.assign(churned=either(rng, pull(frame), "False", "True"))


@odd_table("labels with spaces, commas, quotes and apostrophes", "verdict", MULTICLASS)
def labels_with_quotes(rng: np.random.Generator) -> pd.DataFrame:
    """Labels that must be quoted in CSV, in SQL and in column names."""
    frame = customers(rng, 800)
    return frame.assign(verdict=classes(rng, pull(frame), QUOTED))


@odd_table("three classes that are the integers 1, 2 and 3", "level", MULTICLASS)
def integer_classes(rng: np.random.Generator) -> pd.DataFrame:
    """Few integers are classes, not a number to predict."""
    frame = customers(rng, 800)
    return frame.assign(level=classes(rng, pull(frame), [1, 2, 3]))


@odd_table("40 number columns, four of which matter", "churned", BINARY)
def forty_numbers(rng: np.random.Generator) -> pd.DataFrame:
    """Many columns, most of them noise."""
    values = rng.normal(0, 1, (1000, 40)).round(4)
    frame = pd.DataFrame(values, columns=[f"v{place}" for place in range(40)])
    score = sum((bent(frame[f"v{place}"]) for place in range(4)), np.zeros(1000))
    return frame.assign(churned=either(rng, score, "No", "Yes"))
