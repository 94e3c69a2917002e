import pytest

from tests.stores import step_caller


@pytest.fixture
def call(store):
    """Call a step's command; give what it printed and its run's URI."""
    return step_caller(store)
