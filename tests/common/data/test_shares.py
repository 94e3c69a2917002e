import pytest

from common.data.shares import percent, shown_probability


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0, 0, "0%"),
        (1, 0, "100%"),
        (0.123, 0, "12%"),
        (0.004, 0, "<1%"),
        (0.996, 0, ">99%"),
        (0.994, 0, "99%"),
        (0.0004, 1, "<0.1%"),
        (0.99996, 1, ">99.9%"),
        (0.0006, 1, "0.1%"),
        (1, 1, "100.0%"),
        (0.00001, 2, "<0.01%"),
        (float("nan"), 0, "nan%"),
    ],
)
def test_share_that_is_neither_none_nor_all_is_not_shown_as_one(share, digits, text):
    assert percent(share, digits) == text


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0, "0.000"),
        (1, "1.000"),
        (0.4904, "0.490"),
        (0.0123, "0.012"),
        (0.0042, "0.0042"),
        (0.000417, "0.00042"),
        (0.99996, "0.999960"),
        (1 - 1e-16, "1.000000000000"),
    ],
)
def test_probability_has_digits_where_it_is_near_an_end(probability, text):
    assert shown_probability(probability) == text


@pytest.mark.parametrize(
    ("probability", "beside", "text"),
    [
        (0.3248, 0.32, "0.325"),
        (0.3204, 0.32, "0.3204"),
        (0.32, 0.3204, "0.3200"),
        (0.32, 0.32, "0.320"),
        (0.00042, 0.000421, "0.000420"),
        (0.5, float("nan"), "0.500"),
    ],
)
def test_probabilities_that_differ_have_different_texts(probability, beside, text):
    assert shown_probability(probability, beside) == text
