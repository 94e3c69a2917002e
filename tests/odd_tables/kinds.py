"""Tables whose columns are neither plain numbers nor plain text: dates, booleans, money, decimals."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa

from .forms import Parquet
from .signal import amount, bent, customers, either, holed, pull, with_nulls
from .table import BINARY, REGRESSION, odd_table

DAY = np.timedelta64(1, "D")
BOOLEANS = {
    "active": ("false", "true"),
    "loyal": ("no", "yes"),
    "online": ("f", "t"),
    "insured": (0, 1),
    "urban": ("N", "Y"),
    "owner": ("FALSE", "TRUE"),
}


@odd_table("ISO dates; in one column a tenth is blank", "churned", BINARY)
def dates(rng: np.random.Generator) -> pd.DataFrame:
    """Both dates matter, the first one more."""
    joined, paid = _days(rng, 900), _days(rng, 900)
    score = bent(joined.astype(int)) + 0.5 * bent(paid.astype(int))
    frame = customers(rng, 900)[["charges", "plan"]]
    frame.insert(0, "joined", joined.astype(str))
    frame["last_paid"] = holed(rng, paid.astype(str), 0.1, "")
    return frame.assign(churned=either(rng, score, "No", "Yes"))


@odd_table("timestamps: without zone, with an offset, with Z", "churned", BINARY)
def timestamps(rng: np.random.Generator) -> pd.DataFrame:
    """Three moments, each of which matters."""
    moments = [pd.Series(_moments(rng, 900)) for _ in range(3)]
    score = sum((bent(one.astype("int64")) for one in moments), np.zeros(900))
    frame = pd.DataFrame(
        {
            "charges": customers(rng, 900)["charges"],
            "seen": moments[0].dt.strftime("%Y-%m-%d %H:%M:%S"),
            "ordered": moments[1].dt.strftime("%Y-%m-%dT%H:%M:%S+02:00"),
            "paid": moments[2].dt.strftime("%Y-%m-%dT%H:%M:%S.250Z"),
        }
    )
    return frame.assign(churned=either(rng, score, "No", "Yes"))


@odd_table("booleans: true/false, yes/no, t/f, 0/1, N/Y, FALSE/TRUE", "churned", BINARY)
def booleans(rng: np.random.Generator) -> pd.DataFrame:
    """A column in each notation; the label adds them up."""
    bits = {name: rng.integers(0, 2, 800) for name in BOOLEANS}
    score = sum(bits.values(), np.zeros(800)) + rng.normal(0, 0.3, 800)
    written = {name: np.array(BOOLEANS[name], object)[column].tolist() for name, column in bits.items()}
    frame = pd.DataFrame({**written, "charges": customers(rng, 800)["charges"]})
    return frame.assign(churned=either(rng, score, "No", "Yes"))


@odd_table("Parquet's booleans, one with nulls, and a boolean label", "churned", BINARY, Parquet())
def parquet_booleans(rng: np.random.Generator) -> pd.DataFrame:
    """Booleans that are no text."""
    frame = customers(rng, 700)
    frame["active"] = rng.random(700) < 0.5
    loyal = rng.random(700) < 0.5
    score = pull(frame) + 1.5 * frame["active"].to_numpy() - 1.5 * loyal
    frame["loyal"] = with_nulls(loyal.tolist(), rng.random(700) < 0.9)
    return frame.assign(churned=either(rng, score, False, True).astype(bool))


@odd_table(
    "decimal(10,2) in Parquet, also the number to predict",
    "paid",
    REGRESSION,
    Parquet(
        (
            ("charges", pa.decimal128(10, 2)),
            ("debt", pa.decimal128(10, 2)),
            ("paid", pa.decimal128(12, 2)),
        )
    ),
)
def parquet_decimals(rng: np.random.Generator) -> pd.DataFrame:
    """Exact numbers, one column with nulls."""
    frame = customers(rng, 700)
    debt = rng.normal(0, 4000, 700).round(2)
    paid = amount(rng, pull(frame) + bent(debt), 5000, 1500)
    frame["charges"] = _decimals(frame["charges"])
    frame["debt"] = with_nulls(_decimals(debt), rng.random(700) < 0.9)
    return frame.assign(paid=_decimals(paid))


@odd_table(
    "dates and timestamps in Parquet, with and without zone, some null",
    "churned",
    BINARY,
    Parquet(
        (
            ("joined", pa.date32()),
            ("seen", pa.timestamp("us")),
            ("ordered", pa.timestamp("us", "UTC")),
        )
    ),
)
def parquet_dates(rng: np.random.Generator) -> pd.DataFrame:
    """Moments that are no text."""
    joined, seen, ordered = pd.Series(_days(rng, 800)), *(pd.Series(_moments(rng, 800)) for _ in "ab")
    score = sum((bent(one.astype("int64")) for one in (joined, seen, ordered)), np.zeros(800))
    frame = customers(rng, 800)[["charges", "plan"]]
    frame["joined"] = joined.dt.date
    frame["seen"] = seen.where(rng.random(800) < 0.9)
    frame["ordered"] = ordered.dt.tz_localize("UTC")
    return frame.assign(churned=either(rng, score, "No", "Yes"))


@odd_table("a percent column (12.5%) and a currency column ($1,200.50)", "churned", BINARY)
def percent_and_currency(rng: np.random.Generator) -> pd.DataFrame:
    """All that matters is in the columns with signs."""
    discount, income = rng.uniform(0, 40, 900).round(1), rng.uniform(200, 9000, 900).round(2)
    frame = customers(rng, 900)[["months", "plan"]]
    frame["discount"] = [f"{value}%" for value in discount]
    frame["income"] = [f"${value:,.2f}" for value in income]
    return frame.assign(churned=either(rng, bent(income) - bent(discount), "No", "Yes"))


@odd_table("negative and scientific numbers, also the number to predict", "drift", REGRESSION)
def scientific_numbers(rng: np.random.Generator) -> pd.DataFrame:
    """Numbers from 1e-9 to 1e12 in several notations."""
    small, large, signed = rng.normal(0, 1e-9, 800), rng.normal(3e12, 1e12, 800), rng.normal(0, 50, 800)
    drift = amount(rng, bent(small) + bent(large) + bent(signed), 0, 2e-4)
    return pd.DataFrame(
        {
            "small": [f"{value:.6e}" for value in small],
            "large": [f"{value:.7E}" for value in large],
            "signed": [f"{value:+.3f}" for value in signed],
            "drift": [f"{value:.5e}" for value in drift],
        }
    )


@odd_table("codes with leading zeros that are categories, not numbers", "churned", BINARY)
def leading_zeros(rng: np.random.Generator) -> pd.DataFrame:
    """A code of digits; its order says nothing."""
    codes = np.array(["00150", "01067", "04109", "10115", "20095", "50667", "70173", "80331"])
    worth = np.array([2, -2, 1, -1, 1.5, -1.5, 0.5, -0.5])
    place = rng.integers(0, len(codes), 800)
    frame = customers(rng, 800).assign(code=codes[place])
    return frame.assign(churned=either(rng, pull(frame) + 1.5 * worth[place], "No", "Yes"))


def _days(rng: np.random.Generator, rows: int) -> np.ndarray:
    return np.datetime64("2015-01-01") + rng.integers(0, 3650, rows) * DAY


def _moments(rng: np.random.Generator, rows: int) -> np.ndarray:
    # Not near midnight, where two zones disagree about the day.
    seconds = rng.integers(6 * 3600, 18 * 3600, rows).astype("timedelta64[s]")
    return _days(rng, rows).astype("datetime64[s]") + seconds


def _decimals(values: np.ndarray | pd.Series) -> list[Decimal]:
    return [Decimal(f"{value:.2f}") for value in values]
