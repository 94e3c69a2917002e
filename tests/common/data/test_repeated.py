import pytest

from common.data.repeated import Repeated


@pytest.mark.parametrize(
    ("values", "rows", "is_told"),
    [
        ([], 0, False),
        ([1, 2, 3], 0, False),
        ([1, 1, 2, 3, 3, 3, None], 5, True),
        ([None, None], 2, True),
        ([*range(199), 198], 2, True),
        ([*range(999), 998], 2, False),
    ],
)
def test_rows_that_have_an_equal_one_are_counted(spark, values, rows, is_told):
    frame = spark.createDataFrame(
        [(value, "x", str(place)) for place, value in enumerate(values)], "a int, b string, id string"
    )
    found = Repeated.among(frame, ["a", "b"])
    assert found == Repeated(rows, len(values))
    assert found.is_worth_telling == is_told


def test_repeated_rows_are_told_with_what_they_do_to_scores():
    told = str(Repeated(1200, 5000))
    assert told.startswith("1,200 of 5,000 rows have an equal one")
    assert "scores are too good" in told
