"""Real data sets that scikit-learn brings, as ordinary CSV."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn import datasets

from .table import BINARY, MULTICLASS, ODD_TABLES, REGRESSION, OddTable

TASKS = {
    "breast_cancer": (BINARY, True),
    "wine": (MULTICLASS, False),
    "digits": (MULTICLASS, False),
    "diabetes": (REGRESSION, False),
    "iris": (MULTICLASS, True),
}


def _maker(name: str, named: bool) -> Callable[[np.random.Generator], pd.DataFrame]:
    """Return a function that loads a data set, with the classes by name or by number."""

    def make(rng: np.random.Generator) -> pd.DataFrame:
        loaded = getattr(datasets, f"load_{name}")(as_frame=True)
        frame = loaded.frame.copy()
        if named:
            frame["target"] = loaded.target_names[frame["target"]]
        return frame

    return make


for _name, (_task, _named) in TASKS.items():
    _what = f"scikit-learn's {_name.replace('_', ' ')}"
    ODD_TABLES[_name] = OddTable(_name, _what, "target", _task, _maker(_name, _named))
