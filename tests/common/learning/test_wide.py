"""Tables of many columns: nothing fails, nothing is printed, and it does not take minutes."""

import subprocess
import sys

import pytest

from tests.project import ROOT

# Columns of numbers, texts and dates: many, and few numbers among many texts.
SIZES = ("7-60-1", "120-20-2")


@pytest.mark.slow
def test_wide_tables_are_vectorised_without_a_message(tmp_path):
    command = [sys.executable, "-m", "tests.wide_table", str(tmp_path), *SIZES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert done.stderr == ""
    assert done.returncode == 0
    seconds = dict(line.split() for line in done.stdout.splitlines())
    assert list(seconds) == list(SIZES)
    assert max(map(float, seconds.values())) < 300
