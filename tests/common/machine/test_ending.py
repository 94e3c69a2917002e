import os
import subprocess
import sys

import pytest

from tests.project import ROOT

# What is registered first is called last.
CODE = """
import atexit, gc
atexit.register(lambda: print("frozen", gc.get_freeze_count() > 1000))
from common.machine.ending import end_soon
end_soon()
end_soon()
print("frozen", gc.get_freeze_count() > 1000)
"""


def test_objects_are_left_out_of_the_last_collection_and_not_before():
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["frozen False", "frozen True"], done.stderr


ENDS = """
from common.machine.ending import abort_quietly
abort_quietly()
raise {}
"""


@pytest.mark.parametrize(
    ("error", "said"), [("KeyboardInterrupt", "Aborted"), ("OSError(1)", "OSError: 1")]
)
def test_interruption_is_a_word_and_any_other_error_keeps_its_trace(error, said):
    done = subprocess.run(
        [sys.executable, "-c", ENDS.format(error)], cwd=ROOT, capture_output=True, text=True
    )
    lines = done.stderr.splitlines()
    assert lines[-1] == said
    assert (len(lines) > 1) == (said != "Aborted")
    assert done.returncode != 0


def test_step_is_interrupted_in_a_word_while_it_imports(tmp_path):
    """A package that interrupts the process is imported in place of click."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    done = subprocess.run(
        [sys.executable, "-m", "steps.split", "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stderr == "Aborted\n"
