"""Tables with values that are nearly never there, and with types that are."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa

from .forms import Csv, Parquet
from .signal import bent, customers, either, pull, with_nulls
from .table import BINARY, odd_table

SCARCE = {
    "bonus": "12.5",
    "visits": "7",
    "moved": "2024-03-01",
    "called": "2024-03-01 10:30:00",
    "remark": "urgent",
    "insured": "yes",
    "fee": "$1,200.50",
    "rate": "5.5%",
}


@odd_table("columns with a value in one row only, in training or in test", "churned", BINARY)
def scarce_values(rng: np.random.Generator) -> pd.DataFrame:
    """Two columns of each type whose only value is on one side of the split."""
    frame = customers(rng, 600)
    for number in range(4):
        for place, (name, value) in enumerate(SCARCE.items()):
            cells = np.full(600, "", object)
            cells[37 * (number + 1) + place] = value
            frame[f"{name}_{number}"] = cells
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))


@odd_table(
    "German amounts with signs: 1.234 €, 12,5 %", "churned", BINARY, Csv(separator=";", decimal=",")
)
def german_amounts(rng: np.random.Generator) -> pd.DataFrame:
    """No plain number has a fraction, so that only amounts tell the decimal mark."""
    discount, income = rng.uniform(0, 40, 900).round(1), rng.integers(200, 9000, 900)
    frame = customers(rng, 900)[["months", "plan"]].assign(metres=rng.permutation(900) * 37)
    frame["discount"] = [f"{value} %".replace(".", ",") for value in discount]
    frame["income"] = [f"{value:,} €".replace(",", ".") for value in income]
    return frame.assign(churned=either(rng, bent(income) - bent(discount), "No", "Yes"))


@odd_table(
    "Parquet's rarer types: int8, uint64, large_string, decimal(38,18), nanoseconds, nulls",
    "churned",
    BINARY,
    Parquet(
        (
            ("small", pa.int8()),
            ("large", pa.uint64()),
            ("plan", pa.large_string()),
            ("exact", pa.decimal128(38, 18)),
            ("seen", pa.timestamp("ns")),
            ("ordered", pa.timestamp("ms", "America/New_York")),
            ("none", pa.null()),
            ("churned", pa.bool_()),
        )
    ),
    without_label=80,
)
def parquet_types(rng: np.random.Generator) -> pd.DataFrame:
    """Types that pandas alone would not write, also a boolean label with nulls."""
    frame = customers(rng, 800)[["charges", "plan"]]
    small, large = rng.integers(-100, 100, 800), rng.integers(0, 2**63, 800, dtype=np.uint64) * 2
    exact = rng.normal(0, 1, 800)
    score = pull(customers(rng, 800).assign(charges=frame["charges"], plan=frame["plan"]))
    score = score + bent(small) + bent(exact)
    frame["small"] = with_nulls(small.tolist(), rng.random(800) < 0.9)
    frame["large"] = large
    frame["exact"] = [Decimal(f"{value:.18f}") for value in exact]
    seen = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**17, 800))
    frame["seen"] = seen
    frame["ordered"] = seen.floor("ms").tz_localize("UTC").tz_convert("America/New_York")
    frame["none"] = None
    label = with_nulls(either(rng, score, False, True).tolist(), rng.permutation(800) >= 80)
    return frame.assign(churned=label)
