import pytest
from click.testing import CliRunner

from common import tracking


@pytest.fixture
def call(store):
    """Call a step's command; give what it printed and its run's URI."""

    def call(command, **options):
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
        (run,) = tracking.find_finished({tracking.STEP: command.name}, store)
        return result.stdout, f"runs:/{run.info.run_id}"

    return call
