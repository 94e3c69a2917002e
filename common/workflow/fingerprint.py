"""Which of the project's files decide what a step does: its import closure."""

import hashlib
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

ROOT = Path(__file__).parents[2]
PINS = "requirements.txt"

# Not followed: these say which run is taken, and which parameters there are. What a step makes of its own
# parameters, which are in its key by themselves, does not depend on it.
NOT_FOLLOWED = ("common.workflow", "common.store.get_or_run")


def reached_files(step: str, root: Path = ROOT) -> list[Path]:
    """Return the files of the project that a step's module reaches by its imports, sorted.

    With them what lies beside their code and is none, such as a page's template.

    Args:
        step: the name of a module under steps/.
        root: of the project.
    """
    # Modules that are not below the root, as all that is installed, are not found and not followed.
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
    """Hash the files that decide what a step does, and the pins (64 hex digits)."""
    digest = hashlib.sha256()
    for file in [*reached_files(step, root), root / PINS]:
        digest.update(f"{file.relative_to(root)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def steps_changed_by(changed: Path, steps: list[str], root: Path = ROOT) -> list[str]:
    """Return those of some steps that have to run again once a file has changed."""
    return [step for step in steps if changed in [*reached_files(step, root), root / PINS]]
