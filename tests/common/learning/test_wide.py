"""Tables of many columns: nothing fails, nothing is printed, and it does not take minutes."""

import subprocess
import sys

import pytest

from tests.project import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(("numbers", "texts", "dates"), [(60, 10, 2), (500, 50, 5)])
def test_wide_table_is_vectorised_without_a_message(tmp_path, numbers, texts, dates):
    command = [
        sys.executable,
        "-m",
        "tests.wide_table",
        *map(str, (numbers, texts, dates)),
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert done.stderr == ""
    assert done.returncode == 0
    assert float(done.stdout) < 600
