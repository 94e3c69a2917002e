"""Warnings about a scored file."""

import pytest

from common.scoring.alarms import Strange, alarms

NONE = Strange(0, 100, None)


def test_file_that_is_as_it_should_be_has_none():
    half = Strange(50, 100, "x")
    assert alarms(200, 100, "r", {"job": half}, "y", half) == ()
    assert alarms(1, 0, "", {"job": Strange(0, 1, None)}, "y", Strange(0, 0, None)) == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            (1000, 501, "column 'n' is 'x'", {}, "y", NONE),
            "501 of 1,000 rows cannot be scored; the first: column 'n' is 'x'",
        ),
        (
            (100, 0, "", {"job": Strange(51, 100, "True"), "sex": NONE}, "y", NONE),
            "column 'job': 51 of 100 rows have a category that was never seen in training, "
            "such as 'True'",
        ),
        (
            (100, 0, "", {"job": Strange(100, 100, None)}, "y", NONE),
            "column 'job': 100 of 100 rows have a category that was never seen in training, such as null",
        ),
        (
            (100, 0, "", {}, "y", Strange(3, 5, "ja" * 99)),
            f"column 'y': 3 of 5 values are not labels of the data set, such as '{'ja' * 29}j...: the "
            "scores leave them out",
        ),
    ],
)
def test_most_of_something_strange_is_told_with_its_counts(arguments, said):
    assert alarms(*arguments) == (said,)
