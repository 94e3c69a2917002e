from dataclasses import replace

import numpy as np
import pytest

from common.ensemble.weights import MOST_MIXES, Weighing, grid_of_mixes


@pytest.mark.parametrize(("members", "step"), [(2, 0.05), (3, 0.1), (4, 0.2), (5, 0.25)])
def test_grid_has_every_mix_of_its_step_once(members, step):
    mixes = grid_of_mixes(members)
    parts = mixes / step
    assert len(mixes) <= MOST_MIXES
    assert np.allclose(parts, parts.round())
    assert np.allclose(mixes.sum(axis=1), 1)
    assert len(np.unique(mixes, axis=0)) == len(mixes)
    assert {tuple(mix) for mix in np.eye(members)} <= {tuple(mix) for mix in mixes}


def test_grid_of_many_members_is_coarser_and_no_longer():
    assert all(len(grid_of_mixes(members)) <= MOST_MIXES for members in range(2, 13))


def weighing(by_mix):
    """Make a weighing of two members; other mixes score 0 on the three folds."""
    mixes = grid_of_mixes(2)
    scores = np.zeros((3, len(mixes)))
    for mix, folds in by_mix.items():
        scores[:, np.flatnonzero(np.isclose(mixes[:, 0], mix))[0]] = folds
    return Weighing(mixes, scores)


def test_mix_with_the_highest_mean_is_chosen():
    found = weighing({0.3: [0.8, 0.8, 0.8], 0.7: [0.9, 0.8, 0.8]})
    assert found.choose().tolist() == [0.7, 0.3]


def test_of_equal_mixes_the_most_equal_is_chosen():
    assert weighing({}).choose().tolist() == [0.5, 0.5]
    found = weighing({mix: [0.8, 0.8, 0.8] for mix in (0, 0.2, 0.6, 1)})
    assert found.choose().tolist() == [0.6, 0.4]


def test_fold_that_is_left_out_has_no_say():
    found = weighing({0.3: [0.9, 0.5, 0.5], 0.7: [0.1, 0.6, 0.6]})
    assert found.choose().tolist() == [0.3, 0.7]
    assert found.choose(without=0).tolist() == [0.7, 0.3]


def test_members_alone_are_the_corners():
    found = weighing({1: [0.7, 0.8, 0.9], 0: [0.4, 0.5, 0.6]})
    assert found.alone(0) == [0.7, 0.8, 0.9]
    assert found.alone(1) == [0.4, 0.5, 0.6]


def test_of_losses_the_lowest_is_chosen():
    found = weighing({mix: [0.5, 0.5, 0.5] for mix in np.arange(21) / 20} | {0.3: [0.4, 0.4, 0.4]})
    assert replace(found, sign=-1).choose().tolist() == [0.3, 0.7]
    assert found.choose().tolist() == [0.5, 0.5]
