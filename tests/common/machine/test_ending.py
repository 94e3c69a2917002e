import subprocess
import sys

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
