"""What the tables are made of: ordinary columns, and labels that depend on a score."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

PLANS = {"basic": -0.8, "plus": 0.2, "premium": 0.9}
NOISE = 0.4  # in standard deviations of the score


def customers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return ordinary columns: months (whole), charges (two decimals) and plan (three texts)."""
    return pd.DataFrame(
        {
            "months": rng.integers(0, 73, rows),
            "charges": rng.uniform(20, 120, rows).round(2),
            "plan": rng.choice(list(PLANS), rows, p=[0.5, 0.3, 0.2]),
        }
    )


def ordinary(rng: np.random.Generator) -> pd.DataFrame:
    """Return 400 customers, two fifths of which churned."""
    frame = customers(rng, 400)
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))


def pull(frame: pd.DataFrame) -> np.ndarray:
    """Return the score of ordinary columns: high for new customers with unusual charges."""
    early = scaled(np.minimum(frame["months"], 24))
    return 1.5 * bent(frame["charges"]) - early + frame["plan"].map(PLANS).to_numpy()


def bent(values: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    """Return a score that is high at both ends: trees learn it, a linear model does not.

    Learners of one kind then compare by what they were given, not by what suits them.
    """
    return scaled(np.abs(scaled(values) - 0.3))


def scaled(values: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    """Return values with mean 0 and standard deviation 1."""
    numbers = np.asarray(values, float)
    return (numbers - numbers.mean()) / numbers.std()


def either(
    rng: np.random.Generator, score: np.ndarray, no: object, yes: object, share: float = 0.4
) -> np.ndarray:
    """Return `yes` for the given share of the rows, those with the highest score but for noise."""
    noisy = _noisy(rng, score)
    return np.where(noisy > np.quantile(noisy, 1 - share), _one(yes), _one(no))


def classes(rng: np.random.Generator, score: np.ndarray, names: Sequence[object]) -> np.ndarray:
    """Return equally frequent classes in the order of the score, but for noise."""
    ranks = _noisy(rng, score).argsort().argsort()
    return np.array(names, object)[ranks * len(names) // len(ranks)]


def amount(rng: np.random.Generator, score: np.ndarray, mean: float, spread: float) -> np.ndarray:
    """Return numbers that grow with the score, but for noise."""
    return mean + spread * _noisy(rng, score)


def holed(rng: np.random.Generator, values: np.ndarray, share: float, marker: str) -> np.ndarray:
    """Return values as text, with a marker in place of a share of them."""
    text = np.array([_text(value) for value in values.tolist()], object)
    text[rng.permutation(len(text))[: round(share * len(text))]] = marker
    return text


def with_nulls(values: Iterable[object], is_known: np.ndarray) -> np.ndarray:
    """Return values as objects, with None where they are not known."""
    found = np.array(list(values), object)
    found[~is_known] = None
    return found


def _noisy(rng: np.random.Generator, score: np.ndarray) -> np.ndarray:
    return scaled(score) + rng.normal(0, NOISE, len(score))


def _one(value: object) -> np.ndarray:
    # An object array keeps Python's own type.
    return np.array([value], object)


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
