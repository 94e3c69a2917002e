"""Tables from which no model can be learned; each must be refused with one line."""

import numpy as np
import pandas as pd

from .forms import Parquet
from .signal import ordinary
from .table import bad_input


@bad_input("the label is not in the file", "churn_date", "churn_date")
def no_such_label(rng: np.random.Generator) -> pd.DataFrame:
    """An ordinary table."""
    return ordinary(rng)


@bad_input("all labels are the same", "churned", "churned", "No")
def constant_label(rng: np.random.Generator) -> pd.DataFrame:
    """A label with one value."""
    return ordinary(rng).assign(churned="No")


@bad_input("all labels are missing", "churned", "churned")
def empty_label(rng: np.random.Generator) -> pd.DataFrame:
    """A label without a value."""
    return ordinary(rng).assign(churned="")


@bad_input("the label is an identifier: each row has its own text", "customer", "customer")
def identifier_as_label(rng: np.random.Generator) -> pd.DataFrame:
    """A unique text beside ordinary columns."""
    frame = ordinary(rng)
    return frame.assign(customer=[f"C-{place:05}" for place in rng.permutation(len(frame))])


@bad_input("a class has one row", "churned", "churned", "Perhaps")
def class_of_one_row(rng: np.random.Generator) -> pd.DataFrame:
    """Two classes, and one row of a third."""
    frame = ordinary(rng)
    frame.loc[17, "churned"] = "Perhaps"
    return frame


@bad_input("all columns but the label are identifiers or constant", "churned", "column")
def nothing_to_learn_from(rng: np.random.Generator) -> pd.DataFrame:
    """Nothing is left once what says nothing is set aside."""
    churned = ordinary(rng)["churned"]
    customer = [f"C-{place:05}" for place in rng.permutation(len(churned))]
    return pd.DataFrame({"customer": customer, "country": "DE", "churned": churned})


# Spark does not tell names apart by case, so one of the two would hide the other.
@bad_input("two columns differ by case only", "churned", "Plan", "plan")
def names_differ_by_case(rng: np.random.Generator) -> pd.DataFrame:
    """A second column Plan beside plan."""
    frame = ordinary(rng)
    frame.insert(0, "Plan", frame["months"])
    return frame


@bad_input("a column of lists beside the label", "churned", "column", "tags", "array", form=Parquet())
def only_nested_inputs(rng: np.random.Generator) -> pd.DataFrame:
    """Parquet with nested values."""
    frame = ordinary(rng)[["churned"]]
    return frame.assign(tags=[["a", "b"]] * len(frame))


@bad_input("the label is a column of lists", "tags", "label", "tags", "array", form=Parquet())
def nested_label(rng: np.random.Generator) -> pd.DataFrame:
    """It is in the file, but no label."""
    frame = ordinary(rng)
    return frame.assign(tags=[["a", "b"]] * len(frame))


@bad_input("the label is the only column", "churned", "column", "only one")
def one_column(rng: np.random.Generator) -> pd.DataFrame:
    """Nothing to predict from."""
    return ordinary(rng)[["churned"]]


@bad_input("three rows have a label", "churned", "label", "churned", "3 of 400", "10")
def three_labels(rng: np.random.Generator) -> pd.DataFrame:
    """The other rows can be scored but not learned from."""
    frame = ordinary(rng)
    return frame.assign(churned=frame["churned"].where(frame.index < 3, ""))


@bad_input("the label is a date", "joined", "label", "joined", "date")
def date_as_label(rng: np.random.Generator) -> pd.DataFrame:
    """A day in each row."""
    days = pd.date_range("2024-01-01", periods=400).astype(str)
    return ordinary(rng).assign(joined=days)


@bad_input(
    "a class of two rows, one of which is for training",
    "churned",
    "Perhaps",
    "1 training row",
    by="split",
    learner="xgboost",
    grid='{"max_depth": [3]}',
)
def class_of_two_rows(rng: np.random.Generator) -> pd.DataFrame:
    """Two classes, and two rows of a third."""
    frame = ordinary(rng)
    frame.loc[[17, 18], "churned"] = "Perhaps"
    return frame
