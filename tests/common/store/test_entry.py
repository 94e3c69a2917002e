"""What champion refuses before it registers anything."""

import pytest

from common.champion.verdict import Terms
from common.errors import UserError
from common.store.entry import enter_all
from common.store.registry import versions_of
from tests.common.store.contenders import make_search


@pytest.mark.parametrize(
    ("gates", "ensemble", "message"),
    [
        ({"roc_auc": 0.9}, False, "gates asks for roc_auc, which task regression does not have: "),
        ({"stratum_loss": 1.0}, False, "gates asks for stratum_loss, which task regression does not"),
        (
            {},
            True,
            "ensemble=true joins learners of two labels, and the task is regression: leave it out",
        ),
    ],
)
def test_what_a_task_lacks_leaves_nothing_registered(store, gates, ensemble, message):
    binary = make_search([0.8, 0.9])
    number = make_search([4.0, 5.0], task="regression", labels="0", metric="rmse")
    uris = [f"runs:/{search.info.run_id}" for search in (binary, number)]
    with pytest.raises(UserError, match=message):
        enter_all(None, uris[ensemble:], "income", Terms(None, gates), ensemble)
    assert versions_of("income") == []
