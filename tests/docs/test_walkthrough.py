"""The walkthrough, run cell by cell like a notebook, with its own parameters."""

import pandas as pd
import pytest

from tests.project import ROOT

NOTEBOOK = ROOT / "docs" / "walkthrough.py"
PARAMETERS = 'tags=["parameters"]'
SMALL = {
    "grid": '{"maxDepth": [1, 3], "maxIter": [2, 4], "stepSize": [0.3]}',
    "folds": 2,
    "generations": 2,
    "population": 3,
}


def cells(text):
    """Return the code of each cell, and whether it defines the parameters."""
    for cell in text.split("# %%")[1:]:
        kind, _, code = cell.partition("\n")
        if "[markdown]" not in kind:
            yield code, PARAMETERS in kind


def shown(code, names):
    """Run a cell and return what a notebook shows below it: its last expression."""
    *lines, last = code.strip().splitlines()
    exec("\n".join(lines), names)
    try:
        return eval(last, names)
    except SyntaxError:
        exec(last, names)


@pytest.mark.slow
def test_walkthrough_shows_a_table_of_each_step(spark, slice_file):
    names, tables = {}, []
    for code, has_parameters in cells(NOTEBOOK.read_text()):
        tables.append(shown(code, names))
        if has_parameters:
            names |= {**SMALL, "source": str(slice_file)}
    described, strata, features, tried, told, bred, scored = tables[2:]
    assert described["column"].tolist() == names["spec"].names
    assert strata[["train_count", "test_count"]].sum().sum() == 1200
    assert "age" in features["feature"].tolist()
    assert len(tried) == 4
    assert "maxDepth" in told or "maxIter" in told
    assert bred["generation"].tolist() == [0, 1]
    assert isinstance(scored, pd.DataFrame)
    assert 0.6 < scored.loc["roc_auc"].item() <= 1
