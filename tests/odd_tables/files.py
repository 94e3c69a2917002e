"""Tables in odd files: separators, encodings, quotes, headers, folders."""

import numpy as np
import pandas as pd

from .forms import Csv, Parquet
from .signal import amount, classes, customers, either, pull
from .table import BINARY, MULTICLASS, REGRESSION, odd_table

CITIES = {"Köln": -1.0, "Nîmes": 0.0, "Übersee": 1.0}


@odd_table(
    "semicolons, decimal comma, cp1252 with umlauts and €",
    "gekündigt",
    BINARY,
    Csv(separator=";", decimal=",", encoding="cp1252"),
)
def german(rng: np.random.Generator) -> pd.DataFrame:
    """As a German spreadsheet saves it; read with a point, the numbers are lost."""
    frame = customers(rng, 800)
    city = rng.choice(list(CITIES), 800)
    score = 2 * pull(frame) + np.array([CITIES[name] for name in city])
    names = {"months": "Monate", "charges": "Gebühr in €", "plan": "Tarif"}
    return frame.rename(columns=names).assign(Ort=city, gekündigt=either(rng, score, "nein", "ja"))


@odd_table(
    "semicolons and decimal comma, a number to predict",
    "prix",
    REGRESSION,
    Csv(separator=";", decimal=",", encoding="latin-1"),
)
def french(rng: np.random.Generator) -> pd.DataFrame:
    """The number to predict has a comma."""
    frame = customers(rng, 700)
    prices = amount(rng, pull(frame), 250, 60).round(2)
    return frame.assign(ville=rng.choice(list(CITIES), 700), prix=prices)


@odd_table("tab separated", "size", MULTICLASS, Csv(separator="\t"))
def tab_separated(rng: np.random.Generator) -> pd.DataFrame:
    """Tabs, and a text with commas."""
    frame = customers(rng, 700)
    frame["place"] = rng.choice(["Rome, IT", "Bern, CH", "Oslo, NO"], 700)
    return frame.assign(size=classes(rng, pull(frame), ["small", "medium", "large"]))


@odd_table("pipe separated, every field quoted", "churned", BINARY, Csv(separator="|", all_quoted=True))
def pipe_separated(rng: np.random.Generator) -> pd.DataFrame:
    """Pipes, with numbers in quotes."""
    frame = customers(rng, 700)
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))


@odd_table("quoted fields with line breaks, doubled quotes and separators", "churned", BINARY)
def quoted_fields(rng: np.random.Generator) -> pd.DataFrame:
    """A field whose values matter and cannot be told apart by their first line."""
    values = np.array(['a "b" c', "first\nsecond", "first\nthird", "one, two", '"', "plain"], object)
    place = rng.integers(0, len(values), 800)
    worth = np.array([1.5, -1.5, 1.5, -1.5, 0.5, -0.5])
    frame = customers(rng, 800)
    score = pull(frame) + 1.5 * worth[place]
    frame.insert(1, "note", values[place])
    return frame.assign(churned=either(rng, score, "No", "Yes"))


# Columns without names are named by position as Spark names them: _c0, _c1 and so on.
@odd_table("no header; the label is the fourth column, _c3", "_c3", BINARY, Csv(header=False))
def no_header(rng: np.random.Generator) -> pd.DataFrame:
    """The first record is a row."""
    frame = customers(rng, 700)
    frame["churned"] = either(rng, pull(frame), "No", "Yes")
    frame["region"] = rng.choice(["north", "south"], 700)
    return frame.set_axis([f"_c{place}" for place in range(5)], axis=1)


@odd_table("a folder of four Parquet files", "churned", BINARY, Parquet(files=4))
def parquet_folder(rng: np.random.Generator) -> pd.DataFrame:
    """Several files with the same columns."""
    frame = customers(rng, 800)
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))


@odd_table("a folder of three CSV files, each with a header", "churned", BINARY, Csv(files=3))
def csv_folder(rng: np.random.Generator) -> pd.DataFrame:
    """Several files with the same header; only the last one has a decimal point in a column."""
    frame = customers(rng, 900)
    frame["visits"] = [str(n) for n in rng.integers(0, 9, 800)] + ["2.5"] * 100
    return frame.assign(churned=either(rng, pull(frame), "No", "Yes"))


@odd_table("byte order mark and CRLF", "churned", BINARY, Csv(encoding="utf-8-sig", line_end="\r\n"))
def bom_and_crlf(rng: np.random.Generator) -> pd.DataFrame:
    """As Excel saves UTF-8; the mark belongs to no name, the return to no label."""
    frame = customers(rng, 700)
    return frame.assign(city=rng.choice(list(CITIES), 700), churned=either(rng, pull(frame), "No", "Yes"))
