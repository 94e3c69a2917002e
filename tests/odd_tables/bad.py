"""Inputs from which no model can be learned; each must be refused with one line."""

import numpy as np
import pandas as pd

from .signal import customers, either, pull
from .table import bad_input


@bad_input("the label is not in the file", "churn_date", "churn_date")
def no_such_label(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return _ordinary(rng)


@bad_input("all labels are the same", "churned", "churned", "No")
def constant_label(rng: np.random.Generator) -> pd.DataFrame:
    """A label with one value."""
    return _ordinary(rng).assign(churned="No")


@bad_input("all labels are missing", "churned", "churned")
def empty_label(rng: np.random.Generator) -> pd.DataFrame:
    """A label without a value."""
    return _ordinary(rng).assign(churned="")


@bad_input("the label is an identifier: each row has its own text", "customer", "customer")
def identifier_as_label(rng: np.random.Generator) -> pd.DataFrame:
    """A unique text beside ordinary columns."""
    frame = _ordinary(rng)
    return frame.assign(customer=[f"C-{place:05}" for place in rng.permutation(len(frame))])


@bad_input("a class has one row", "churned", "churned", "Perhaps")
def class_of_one_row(rng: np.random.Generator) -> pd.DataFrame:
    """Two classes, and one row of a third."""
    frame = _ordinary(rng)
    frame.loc[17, "churned"] = "Perhaps"
    return frame


@bad_input("the file has two rows", "churned", "2")
def two_rows(rng: np.random.Generator) -> pd.DataFrame:
    """A row of each label."""
    return _ordinary(rng).groupby("churned").head(1)


@bad_input("the file has a header and no rows", "churned", "no_rows")
def no_rows(rng: np.random.Generator) -> pd.DataFrame:
    """Only the names."""
    return _ordinary(rng).head(0)


@bad_input("all columns but the label are identifiers or constant", "churned", "column")
def nothing_to_learn_from(rng: np.random.Generator) -> pd.DataFrame:
    """Nothing is left once what says nothing is set aside."""
    churned = _ordinary(rng)["churned"]
    customer = [f"C-{place:05}" for place in rng.permutation(len(churned))]
    return pd.DataFrame({"customer": customer, "country": "DE", "churned": churned})


@bad_input("the positive value does not occur", "churned", "positive", "maybe", positive="maybe")
def unknown_positive(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return _ordinary(rng)


# Spark does not tell names apart by case, so one of the two would hide the other.
@bad_input("two columns differ by case only", "churned", "Plan", "plan")
def names_differ_by_case(rng: np.random.Generator) -> pd.DataFrame:
    """A second column Plan beside plan."""
    frame = _ordinary(rng)
    frame.insert(0, "Plan", frame["months"])
    return frame


def _ordinary(rng: np.random.Generator) -> pd.DataFrame:
    frame = customers(rng, 400)
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))
