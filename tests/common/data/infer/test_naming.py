"""Which column a user means by a name."""

import re

import pytest

from common.data.infer.naming import find_place
from common.errors import UserError


@pytest.mark.parametrize(
    ("name", "columns", "place"),
    [
        ("b", ["a", "b"], 1),
        ("B", ["a", "b"], 1),
        # As a header shows it whose separators blanks follow.
        (" b", ["a", "b"], 1),
        ("b", ["a", " b"], 1),
        (" B ", ["a", "b"], 1),
        # Of two that differ by blanks alone the one that is meant has to be named as it is.
        (" b", ["b", " b"], 1),
        ("b", [" b", "b"], 1),
        (" ", ["a", " "], 1),
    ],
)
def test_column_is_found_by_its_name_in_any_case_and_with_blanks(name, columns, place):
    assert find_place(name, columns, columns, "label") == place


@pytest.mark.parametrize("name", ["b", "B", " b", "bee", "Bee "])
def test_renamed_column_is_found_by_either_name(name):
    assert find_place(name, ["a", "b"], ["a", "bee"], "label") == 1


@pytest.mark.parametrize(
    ("name", "columns", "said"),
    [
        ("wages", ["a", "Wage"], "(did you mean 'Wage'?); the columns are a, Wage"),
        ("B", ["b", " b"], "label 'B' is no column"),
    ],
)
def test_name_that_leaves_a_doubt_is_refused(name, columns, said):
    with pytest.raises(UserError, match=re.escape(said)):
        find_place(name, columns, columns, "label")
