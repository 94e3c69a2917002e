"""Tables whose columns have odd names."""

import numpy as np
import pandas as pd

from .signal import PLANS, bent, customers, either, pull
from .table import BINARY, odd_table

ODD_NAMES = (
    *("usage.last.month", "days since visit", "größe (m²)", "back`tick", 'quo"ted', "apostrophe's"),
    *("50% off", "a,b", "semi;colon", "x__y", "名前", "1st", "a/b\\c", "{brace}", "tab\there", "-"),
)
RESERVED = ("features", "fold", "select", "rawPrediction", "fold_rank", "numbers", "from", "index")
ADDED = ("prediction", "probability", "reason", "line")


@odd_table("names with dots, spaces, unicode, backticks, quotes, commas", "churned? (yes/no)", BINARY)
def odd_names(rng: np.random.Generator) -> pd.DataFrame:
    """Each odd name but one has a number; one has a category."""
    frame = _numbers(rng, ODD_NAMES)
    customer = customers(rng, len(frame))
    score = _sum(frame) + customer["plan"].map(PLANS).to_numpy()
    frame["plan.name `x`"] = customer["plan"]
    return frame.assign(**{"churned? (yes/no)": either(rng, score, "No", "Yes")})


@odd_table("reserved words as names: features, fold, select, ...", "churned", BINARY)
def reserved_words(rng: np.random.Generator) -> pd.DataFrame:
    """Names that the steps, Spark or SQL use themselves."""
    frame = _numbers(rng, RESERVED)
    return frame.assign(churned=either(rng, _sum(frame), "No", "Yes"))


@odd_table("the label's name is label", "label", BINARY)
def label_named_label(rng: np.random.Generator) -> pd.DataFrame:
    """The name of the column that the steps themselves add."""
    frame = customers(rng, 600)
    return frame.assign(label=either(rng, pull(frame), "No", "Yes"))


@odd_table("a column named label that is not the label", "churned", BINARY)
def column_named_label(rng: np.random.Generator) -> pd.DataFrame:
    """An input with the name of the column that the steps themselves add."""
    frame = customers(rng, 600).rename(columns={"plan": "label"})
    score = pull(frame.rename(columns={"label": "plan"}))
    return frame.assign(churned=either(rng, score, "No", "Yes"))


@odd_table("names that scoring adds: prediction, probability, reason, line", "churned", BINARY)
def added_names(rng: np.random.Generator) -> pd.DataFrame:
    """Names of the columns that the output of scoring has in addition."""
    frame = _numbers(rng, ADDED)
    return frame.assign(churned=either(rng, _sum(frame), "No", "Yes"))


def _numbers(rng: np.random.Generator, names: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: rng.normal(0, 1, 800).round(4) for name in names})


def _sum(frame: pd.DataFrame) -> np.ndarray:
    """Return a score to which the first columns add most, since many equal ones are hard to learn."""
    weights = 0.7 ** np.arange(frame.shape[1])
    return sum((w * bent(frame[name]) for w, name in zip(weights, frame, strict=True)), np.zeros(800))
