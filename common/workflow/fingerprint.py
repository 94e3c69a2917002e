"""The project files that determine a step's behaviour: its import closure."""

import hashlib
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

from common import ROOT

PINS = "requirements.txt"

# Not followed: these modules select the runs to reuse and declare the parameters. A step's result does
# not depend on them, and the values of its own parameters are part of its key anyway.
NOT_FOLLOWED = ("common.workflow", "common.store.get_or_run")


def reached_files(step: str, root: Path = ROOT) -> list[Path]:
    """Return the project files that a step's module imports, directly or indirectly, sorted.

    Other files in the same folders, such as a page's template, are included.

    Args:
        step: Name of a module under steps/.
        root: The project's root folder.
    """
    # Modules outside the root, such as installed packages, are not found and so not followed.
    finder = ModuleFinder([str(root)], excludes=list(NOT_FOLLOWED))
    finder.run_script(str(root / "steps" / f"{step}.py"))
    places = [getattr(found, "__file__", None) for found in finder.modules.values()]
    code = {Path(place) for place in places if place}
    beside = {
        file
        for folder in {path.parent for path in code}
        for file in folder.iterdir()
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    return sorted(code | beside)


@cache
def source_fingerprint(step: str, root: Path = ROOT) -> str:
    """Hash the files that determine a step's behaviour, and the pins (64 hex digits)."""
    digest = hashlib.sha256()
    for file in [*reached_files(step, root), root / PINS]:
        digest.update(f"{file.relative_to(root)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
