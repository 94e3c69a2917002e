"""Tables with missing values, and with columns from which nothing can be learned."""

import uuid

import numpy as np
import pandas as pd

from .forms import Csv
from .signal import amount, bent, customers, either, holed, pull
from .table import BINARY, REGRESSION, odd_table

MARKERS = {"blank": "", "na": "NA", "asked": "?", "slash": "N/A", "null": "null", "nan": "NaN"}
WORDS = {
    "good": ("fast", "friendly", "reliable", "clear", "great"),
    "bad": ("slow", "rude", "broken", "unclear", "awful"),
    "any": ("support", "invoice", "router", "call", "email", "visit", "contract", "line", "order"),
}


@odd_table("missing numbers: blank, NA, ?, N/A, null, NaN", "churned", BINARY, Csv(missing=("?",)))
def missing_numbers(rng: np.random.Generator) -> pd.DataFrame:
    """A number column with each marker, a tenth of it missing."""
    values = {name: rng.normal(50, 12, 900).round(1) for name in MARKERS}
    score = sum((bent(column) for column in values.values()), np.zeros(900))
    frame = {name: holed(rng, values[name], 0.1, marker) for name, marker in MARKERS.items()}
    return pd.DataFrame({**frame, "churned": either(rng, score, "No", "Yes")})


@odd_table("missing text: blank, NA, ?; missing tells something", "churned", BINARY)
def missing_text(rng: np.random.Generator) -> pd.DataFrame:
    """Three texts with missing values; a missing grade is itself a reason."""
    frame = customers(rng, 900)
    grade = rng.choice(["A", "B", "C"], 900)
    grade[rng.random(900) < 0.25] = ""
    reasons = pd.Series(grade).map({"A": -1.0, "B": 0.0, "C": 0.5, "": 1.5}).to_numpy()
    frame["grade"] = grade
    frame["region"] = holed(rng, rng.choice(["north", "south", "west"], 900), 0.2, "NA")
    frame["contact"] = holed(rng, rng.choice(["email", "phone"], 900), 0.2, "?")
    return frame.assign(churned=either(rng, pull(frame) + 1.5 * reasons, "No", "Yes"))


@odd_table("a tenth of the labels missing", "churned", BINARY, without_label=120)
def missing_labels(rng: np.random.Generator) -> pd.DataFrame:
    """Rows without a label, which can be scored but not learned from."""
    frame = customers(rng, 1200)
    return frame.assign(churned=holed(rng, either(rng, pull(frame), "No", "Yes"), 0.1, ""))


@odd_table("a number to predict, some of them missing (NA)", "price", REGRESSION, without_label=60)
def missing_targets(rng: np.random.Generator) -> pd.DataFrame:
    """Rows without the number to predict."""
    frame = customers(rng, 800)
    price = amount(rng, pull(frame), 250, 60).round(2)
    return frame.assign(price=holed(rng, price, 0.075, "NA"))


@odd_table("an index column without a name (pandas' to_csv)", "churned", BINARY)
def index_column(rng: np.random.Generator) -> pd.DataFrame:
    """The header begins with the separator."""
    frame = customers(rng, 600)
    frame.insert(0, "", np.arange(600))
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))


@odd_table("identifiers: unique text, unique integers, UUIDs", "churned", BINARY)
def identifiers(rng: np.random.Generator) -> pd.DataFrame:
    """Three columns with a value of its own in each row."""
    frame = customers(rng, 800)
    frame.insert(0, "customer", [f"C-{number:05}" for number in rng.permutation(800)])
    frame.insert(1, "account", 10_000_000 + rng.permutation(800) * 37)
    frame["token"] = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(800)]
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))


@odd_table("constant text, constant number, a column that is all blank", "churned", BINARY)
def constant_columns(rng: np.random.Generator) -> pd.DataFrame:
    """Columns that say nothing."""
    frame = customers(rng, 600).assign(country="DE", version=3, remark="")
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))


@odd_table("free text of a few words", "churned", BINARY)
def free_text(rng: np.random.Generator) -> pd.DataFrame:
    """A comment in each row; nearly all are different."""
    frame = customers(rng, 1000)
    glad = rng.random(1000) < 0.5
    frame["comment"] = [_comment(rng, "good" if one else "bad") for one in glad]
    return frame.assign(churned=either(rng, pull(frame) - 0.5 * glad, "No", "Yes"))


# One or two rows a value, so more rows than the other tables have.
@odd_table("a category with 2000 rare values beside five frequent ones", "churned", BINARY)
def rare_values(rng: np.random.Generator) -> pd.DataFrame:
    """Half of the rows have one of five shops, which matter; the others have one of 2000."""
    frame = customers(rng, 6000)
    frequent = rng.integers(0, 5, 6000)
    shops = np.array(list("ABCDE"), object)[frequent]
    is_rare = rng.permutation(6000) < 3000
    shops[is_rare] = [f"s{number % 2000:04}" for number in rng.permutation(3000)]
    frame["shop"] = shops
    score = pull(frame) + np.where(is_rare, 0, frequent - 2)
    return frame.assign(churned=either(rng, score, "No", "Yes"))


@odd_table("a fifth of the rows occur again", "churned", BINARY)
def duplicate_rows(rng: np.random.Generator) -> pd.DataFrame:
    """750 rows, 150 of which occur twice, mixed."""
    frame = customers(rng, 750)
    frame["churned"] = either(rng, pull(frame), "No", "Yes")
    return pd.concat([frame, frame.head(150)]).iloc[rng.permutation(900)].reset_index(drop=True)


@odd_table("few different rows: three columns of a few categories", "churned", BINARY)
def few_contents(rng: np.random.Generator) -> pd.DataFrame:
    """2000 rows with 24 contents, with either label."""
    frame = pd.DataFrame(
        {
            "plan": rng.choice(["basic", "plus", "premium"], 2000, p=[0.5, 0.3, 0.2]),
            "region": rng.choice(["north", "south", "east", "west"], 2000, p=[0.4, 0.3, 0.2, 0.1]),
            "contract": rng.choice(["month", "year"], 2000),
        }
    )
    score = sum(
        rng.normal(size=frame[name].nunique())[frame[name].astype("category").cat.codes] for name in frame
    )
    return frame.assign(churned=either(rng, score + rng.logistic(size=2000), "No", "Yes"))


def _comment(rng: np.random.Generator, mood: str) -> str:
    words = [*rng.choice(WORDS["any"], 4), *rng.choice(WORDS[mood], 2)]
    return " ".join(words[place] for place in rng.permutation(6)).capitalize() + "."
