import pytest

from common.learners import LEARNERS
from common.search.winner import scoring_pipeline
from common.vectorizer import fit_vectorizer, vectorize
from tests import tiny_model as tiny

# Small, but of more than one tree, and deep enough to split the numbers.
PARAMETERS = {
    "gbt": {"maxIter": 3, "maxDepth": 4},
    "xgboost": {"n_estimators": 3, "max_depth": 4},
    "random_forest": {"numTrees": 3, "maxDepth": 4},
    "logistic_regression": {"maxIter": 5},
    "linear_svc": {"maxIter": 5},
}


@pytest.fixture(scope="session")
def fit_pipeline(people, spec):
    """Fit a learner's scoring pipeline on 2,000 rows, once."""
    vectorized, pipelines = {}, {}

    def fit(learner, encoding):
        if encoding not in vectorized:
            vectorizer = fit_vectorizer(people, spec, encoding)
            vectorized[encoding] = vectorizer, vectorize(people, vectorizer, spec).cache()
        if (learner, encoding) not in pipelines:
            vectorizer, rows = vectorized[encoding]
            bins = {} if "maxDepth" not in PARAMETERS[learner] else {"maxBins": 64}
            model = LEARNERS[learner].estimator({**PARAMETERS[learner], **bins}, 42).fit(rows)
            pipelines[learner, encoding] = scoring_pipeline(vectorizer, model, spec)
        return pipelines[learner, encoding]

    return fit


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Folder of a portable model of three columns (see tests/tiny_model.py)."""
    return tiny.save(tmp_path_factory.mktemp("model"))
