import pytest

from common.errors import UserError
from common.learning.learners import LEARNERS, get_learner
from common.search.space import diversity, is_within, make_space
from common.store.conf import load_space

GBT, FOREST = get_learner("gbt"), get_learner("random_forest")
SPACE = make_space(
    {"maxDepth": {"low": 2, "high": 6}, "stepSize": {"low": 0.01, "high": 1, "log": True}}, GBT
)


@pytest.mark.parametrize("name", LEARNERS)
def test_default_space_of_every_learner_is_within_its_ranges(name):
    learner = get_learner(name)
    assert make_space(load_space("auto", learner), learner)


@pytest.mark.parametrize(
    ("learner", "space", "message"),
    [
        (GBT, "nope", "space 'nope' is unknown: give one of auto, gbt, linear_regression, linear_svc"),
        (GBT, "{}", "space must map parameters to values"),
        (
            GBT,
            '{"depth": {"low": 1, "high": 2}}',
            "space contains the parameter 'depth', which learner 'gbt'",
        ),
        (
            GBT,
            '{"maxDepth": {"low": 1}}',
            "space needs low, high and optionally log, or choices for maxDepth",
        ),
        (
            GBT,
            '{"maxDepth": [1, 2]}',
            "space needs low, high and optionally log, or choices for maxDepth",
        ),
        (GBT, '{"maxDepth": {"low": 1, "high": 99}}', "high of maxDepth in space must be a whole number"),
        (
            GBT,
            '{"maxDepth": {"low": 5, "high": 2}}',
            r"low of maxDepth in space must be at most high \(2\)",
        ),
        (GBT, '{"maxDepth": {"low": 0, "high": 2, "log": true}}', "must be above 0 for log, got 0"),
        (GBT, '{"maxDepth": {"low": 1, "high": 2, "log": 1}}', "log of maxDepth in space must be true"),
        (GBT, '{"maxDepth": {"choices": []}}', "a list of at least one choice for maxDepth"),
        (FOREST, '{"impurity": {"low": 1, "high": 2}}', "space needs choices for impurity"),
        (FOREST, '{"impurity": {"choices": ["x"]}}', "impurity in space must be one of gini, entropy"),
    ],
)
def test_bad_space_is_refused_by_name(learner, space, message):
    with pytest.raises(UserError, match=message):
        make_space(load_space(space, learner), learner)


def test_candidate_is_within_when_it_sets_just_the_spaces_parameters_in_range():
    assert is_within({"maxDepth": 2, "stepSize": 0.5}, SPACE)
    assert not is_within({"maxDepth": 7, "stepSize": 0.5}, SPACE)
    assert not is_within({"maxDepth": 2}, SPACE)


def test_diversity_is_0_for_copies_and_1_for_opposite_ends():
    low, high = {"maxDepth": 2, "stepSize": 0.01}, {"maxDepth": 6, "stepSize": 1.0}
    middle = {"maxDepth": 4, "stepSize": 0.1}
    assert diversity([low, low], SPACE) == diversity([{}, {}], {}) == 0
    assert diversity([low, high], SPACE) == pytest.approx(1)
    assert diversity([low, middle], SPACE) == pytest.approx(0.5)
    choices = make_space({"impurity": {"choices": ["gini", "entropy"]}}, FOREST)
    assert diversity([{"impurity": "gini"}, {"impurity": "entropy"}], choices) == 1
