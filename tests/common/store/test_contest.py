import pytest

from common.data.spec import NUMERIC, Column
from common.store.contest import _other_currencies
from tests.specs import labelled


@pytest.mark.parametrize(
    ("ours", "theirs", "differ"),
    [("$", "EUR", ["price"]), ("$", "$", []), ("$", "", []), ("", "EUR", []), ("", "", [])],
)
def test_amounts_of_two_versions_are_compared_unless_their_currencies_differ(ours, theirs, differ):
    one, other = (
        labelled(Column("price", "currency", NUMERIC, unit=unit), Column("n", "integer", NUMERIC))
        for unit in (ours, theirs)
    )
    assert _other_currencies(one, other) == differ
