"""The project files that determine a step's behaviour: its import closure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from modulefinder import Module, ModuleFinder
from pathlib import Path

from common import ROOT

PINS = "requirements.txt"

# Not followed: these modules select the runs to reuse and declare the parameters. A step's result does
# not depend on them, and the values of its own parameters are part of its key anyway.
NOT_FOLLOWED = ("common.workflow", "common.store.get_or_run")


class ImportGraph(ModuleFinder):
    """What each module imports itself; a module that several steps reach is read once."""

    def __init__(self, root: Path) -> None:
        """Begin with nothing read.

        Args:
            root: The project's root folder. Modules outside, such as installed packages, are not found
                and so not followed.
        """
        super().__init__([str(root)], excludes=list(NOT_FOLLOWED))
        self._imported: defaultdict[str, set[str]] = defaultdict(set)
        self._callers: list[str] = []

    def reached_from(self, module: str) -> set[Path]:
        """Return the files of a module and of all that it imports, directly or indirectly."""
        self.import_hook(module)
        reached, left = {module}, [module]
        while left:
            more = self._imported[left.pop()] - reached
            reached |= more
            left += more
        places = [getattr(self.modules[name], "__file__", None) for name in reached]
        return {Path(place) for place in places if place}

    def import_hook(
        self, name: str, caller: Module | None = None, fromlist: list[str] | None = None, level: int = -1
    ) -> Module | None:
        """Note who imports."""
        self._callers.append(_name(caller))
        try:
            return super().import_hook(name, caller, fromlist, level)
        finally:
            self._callers.pop()

    def import_module(self, partname: str, fqname: str, parent: Module) -> Module | None:
        """Note what is imported, also if it was read before."""
        found = super().import_module(partname, fqname, parent)
        if found:
            self._imported[self._callers[-1]].add(fqname)
        return found

    def ensure_fromlist(self, m: Module, fromlist: Iterable[str], recursive: int = 0) -> None:
        """Note the modules among the names: one that was read before is not imported again."""
        super().ensure_fromlist(m, fromlist, recursive)
        named = {f"{_name(m)}.{name}" for name in fromlist}
        self._imported[self._callers[-1]] |= named & self.modules.keys()


def _name(module: Module | None) -> str:
    return getattr(module, "__name__", "")


_graph_of = cache(ImportGraph)


def reached_files(step: str, root: Path = ROOT) -> list[Path]:
    """Return the project files that a step's module imports, directly or indirectly, sorted.

    Other files in the same folders, such as a page's template, are included.

    Args:
        step: Name of a module under steps/.
        root: The project's root folder.
    """
    code = _graph_of(root).reached_from(f"steps.{step}")
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
