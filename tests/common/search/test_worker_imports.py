"""What Spark's Python workers load for a search: each does so anew, for seconds of a core."""

import pickletools
import subprocess
import sys

import pytest
from pyspark.serializers import CloudPickleSerializer

from common import ROOT
from common.learning.learners import get_learner
from common.learning.vectorizer import fit_vectorizer, vectorize
from common.scoring.export import export
from common.search.engines.boosting.driver import BoostingEngine
from common.search.folds import assign_fold_rank, fold_data
from common.search.refit import refit_winner
from common.search.winner import scoring_pipeline

# Neither fits nor checks need Spark's machine learning, or MLflow.
HEAVY = ("pyspark.ml", "mlflow", "onnx", "matplotlib")


@pytest.fixture
def sent(monkeypatch):
    """The pickles that are sent to workers."""
    found = []
    dumps = CloudPickleSerializer.dumps

    def noted(self, content):
        found.append(dumps(self, content))
        return found[-1]

    monkeypatch.setattr(CloudPickleSerializer, "dumps", noted)
    return found


def modules_of(pickle):
    """Return the modules that a pickle's reader imports for what is in it by reference."""
    memo, pushed, found = [], [], set()
    for operation, argument, _ in pickletools.genops(pickle):
        if operation.name == "MEMOIZE":
            memo.append(pushed[-1])
        elif operation.name.endswith("BINGET"):
            pushed.append(memo[argument])
        elif operation.name == "STACK_GLOBAL":
            found.add(pushed[-2])
            pushed.append(None)
        else:
            pushed.append(argument if isinstance(argument, str) else None)
    return found


def test_workers_load_nothing_heavy_for_a_search_its_refit_and_its_export(spark, people, spec, sent):
    vectorizer = fit_vectorizer(people, spec, "onehot")
    rows = vectorize(assign_fold_rank(people, spec.label, 42), vectorizer, spec)
    data, learner = fold_data(rows, 3, spec.target), get_learner("gbt")
    engine = BoostingEngine(data, learner, seed=42)
    parameters = {"maxDepth": 2, "maxIter": 2, "maxBins": 32}
    assert len(list(engine.evaluate([parameters]))) == 1
    refit = refit_winner(parameters, learner, data, 42, engine)
    assert refit.check([data.frame]).rows == data.rows
    export(scoring_pipeline(vectorizer, refit.model, spec), spec, people)
    named = set().union(*map(modules_of, sent))
    assert named > {"common.learning.boosting_rule", "common.search.engines.boosting.arriving"}
    # These the functions themselves import.
    loaded = {*named, "common.scoring.comparison", "common.search.engines.boosting.whole_fit"}
    code = (
        "import sys, importlib\n"
        f"for name in {sorted(loaded)!r}:\n"
        "    importlib.import_module(name)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
