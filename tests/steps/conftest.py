import pytest

from tests.stores import step_caller


@pytest.fixture
def call(store):
    """Call a step's command; return its output and its run's URI."""
    return step_caller(store)
