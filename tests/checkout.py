"""A copy of what the project needs to run, so that its reports and results stay apart."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("steps", "common", "conf")
FILES = ("MLproject", "conda.yaml", "requirements.txt")


def copy_project(target: Path) -> None:
    """Copy the project's code and settings into a new folder."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, target / name)
    for name in FILES:
        shutil.copy(ROOT / name, target)
