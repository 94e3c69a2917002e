import pytest

from common.data.readable import bound, readable, within


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (100.0, "100"),
        (1234.5, "1,234.5"),
        (1234.567, "1,234.57"),
        (0.000_123_456, "0.0001235"),
        (99.996, "99.996"),
        (-2.000_001, "-2.000001"),
        (0.1 + 0.2 + 2.7, "3"),
        (1_000_000.000_000_1, "1,000,000"),
        (-0.0042, "-0.0042"),
        (3.2e-9, "3.2e-09"),
        (0.5, "0.5"),
        (0.999_99, "0.99999"),
        (-0.999_96, "-0.99996"),
        (1.7e300, "1.7e+300"),
        (12_345, "12,345"),
        (True, "yes"),
        ("0.001", "0.001"),
    ],
)
def test_number_of_any_size_is_shown_as_what_it_is(value, text):
    assert readable(value) == text


@pytest.mark.parametrize(
    ("most", "text"),
    [
        (0.0, "exactly"),
        (1.41e-8, "to within 1.5e-8"),
        (9.99e-7, "to within 1.0e-6"),
        (0.5, "to within 5.0e-1"),
    ],
)
def test_bound_of_a_difference_is_never_below_it(most, text):
    assert within(most) == text


def test_no_difference_is_none():
    assert bound(0.0) == "0"


def test_bound_that_is_a_part_says_of_what():
    """Numbers of 1e12 were said to match to within 1e-16, and those of 1e-9 no better."""
    assert within(1.41e-8, "the numbers' spread") == "to within 1.5e-8 of the numbers' spread"
    assert within(0.0, "the numbers' spread") == "exactly"
