"""Tables of many columns: nothing fails, and nothing is printed."""

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
    assert done.stdout.split() == list(SIZES)
