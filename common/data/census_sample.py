"""The built-in sample: synthetic rows that resemble Adult, drawn from a small table of counts.

The table holds a tree-augmented naive Bayes model (Friedman, Geiger and Goldszmidt, 1997): given the
label, every column depends on one other column. The tree is that of Chow and Liu (1968), which maximises
the conditional mutual information. Its root is sex, so the counts of income x sex are exact.
"""

import json
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

SEED = 1996  # the year in which Adult was donated to the repository
MAX_VALUES = 256  # numeric columns with more distinct values are drawn from ranges
RANGES = 64


def count_table(frame: pd.DataFrame, label: str, root: str) -> dict[str, Any]:
    """Build the table of counts that the sample is drawn from.

    Args:
        frame: The real rows. Text columns are trimmed, numeric columns are integers.
        label: The column to predict.
        root: The column whose joint counts with the label the sample reproduces exactly.

    Returns:
        A table that can be written as JSON. It gives each column's parent and, for each value of label
        and parent, the column's values and their counts. The values of a numeric column with many
        distinct values are ranges [low, high].
    """
    coded, values = {}, {}
    for name in frame.columns:
        column = frame[name]
        if column.nunique() > MAX_VALUES:
            edges = np.unique(np.quantile(column, np.linspace(0, 1, RANGES + 1)).astype(int))
            codes = np.searchsorted(edges[1:-1], column, side="right")
            values[name] = [[int(a), int(b)] for a, b in pairwise(edges)]
        else:
            codes, uniques = pd.factorize(column, sort=True)
            values[name] = uniques.tolist()
        coded[name] = codes
    features = [name for name in frame.columns if name != label]
    parents = _tree(coded, label, features, root)
    columns = []
    for name, parent in parents.items():
        keys = pd.DataFrame({"label": coded[label], "parent": coded.get(parent, 0), "own": coded[name]})
        counts: dict[str, list[list[int]]] = {}
        for (c, p, v), n in keys.value_counts(sort=False).items():
            counts.setdefault(f"{c}:{p}", []).append([int(v), int(n)])
        columns.append({"name": name, "parent": parent, "values": values[name], "counts": counts})
    order = list(frame.columns)
    return {"order": order, "label": label, "labels": values[label], "columns": columns}


def _tree(
    coded: dict[str, np.ndarray], label: str, features: list[str], root: str
) -> dict[str, str | None]:
    """Return each feature's parent; parents come before their children."""
    information = np.zeros((len(features), len(features)))
    for (i, a), (j, b) in combinations(enumerate(features), 2):
        information[i, j] = _conditional_information(coded[a], coded[b], coded[label])
    # SciPy treats a zero as a missing edge, so every cost is kept above zero.
    costs = np.triu(information.max() - information + 1, k=1)
    tree = minimum_spanning_tree(costs)
    order, before = breadth_first_order(tree, features.index(root), directed=False)
    return {features[i]: features[before[i]] if before[i] >= 0 else None for i in order}


def _conditional_information(a: np.ndarray, b: np.ndarray, label: np.ndarray) -> float:
    """Estimate I(a; b | label) in nats, corrected for small-sample bias (Miller, 1955)."""
    total = 0.0
    for value in np.unique(label):
        rows = label == value
        joint = pd.crosstab(a[rows], b[rows]).to_numpy() / rows.sum()
        independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        seen = joint > 0
        information = (joint[seen] * np.log(joint[seen] / independent[seen])).sum()
        bias = (joint.shape[0] - 1) * (joint.shape[1] - 1) / (2 * rows.sum())
        total += rows.mean() * (information - bias)
    return total


def draw(table: dict[str, Any], seed: int = SEED) -> pd.DataFrame:
    """Draw as many rows as were counted, in shuffled order.

    Args:
        table: The result of `count_table`.
        seed: Seed of the draws. It changes the rows, but never the counts of label x root.
    """
    rng = np.random.default_rng(seed)
    root = table["columns"][0]
    cells = [
        (int(key.split(":")[0]), value, count)
        for key, pairs in root["counts"].items()
        for value, count in pairs
    ]
    label = np.repeat([cell[0] for cell in cells], [cell[2] for cell in cells])
    codes = {root["name"]: np.repeat([cell[1] for cell in cells], [cell[2] for cell in cells])}
    for column in table["columns"][1:]:
        codes[column["name"]] = _draw_column(column, label, codes[column["parent"]], rng)
    drawn = {table["label"]: np.array(table["labels"], dtype=object)[label]}
    for column in table["columns"]:
        drawn[column["name"]] = _decode(column["values"], codes[column["name"]], rng)
    order = np.argsort(rng.random(len(label)), kind="stable")
    return pd.DataFrame(drawn)[table["order"]].iloc[order].reset_index(drop=True)


def _draw_column(
    column: dict[str, Any], label: np.ndarray, parent: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    uniform = rng.random(len(label))
    codes = np.empty(len(label), dtype=int)
    for key, pairs in column["counts"].items():
        of_label, of_parent = map(int, key.split(":"))
        rows = np.flatnonzero((label == of_label) & (parent == of_parent))
        values, counts = np.array(pairs).T
        cumulative = counts.cumsum() / counts.sum()
        codes[rows] = values[np.searchsorted(cumulative, uniform[rows], side="right")]
    return codes


def _decode(values: list[Any], codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if not isinstance(values[0], list):
        return np.array(values, dtype=object)[codes]
    low, high = np.array(values).T
    return np.floor(low[codes] + rng.random(len(codes)) * (high - low)[codes]).astype(int)


def write_sample(table: Path, path: Path) -> None:
    """Draw the sample from a table of counts and write it in the format of Adult's own file.

    Args:
        table: JSON file with the table of counts.
        path: The file to write: one line per row, comma-separated, without a header.
    """
    rows = draw(json.loads(table.read_text(encoding="utf-8")))
    rows.to_csv(path, header=False, index=False)
