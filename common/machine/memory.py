"""How much memory this machine has for us: less than its own, where a container bounds it."""

import os
from pathlib import Path


def machine_memory(root: Path = Path("/")) -> int:
    """Return the bytes that this process may use: all of the machine's, or its cgroups' least limit.

    Args:
        root: of the file system, for tests.

    Source: cgroups(7); the kernel's documentation of memory.max (version 2) and of
    memory.limit_in_bytes (version 1).
    """
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([whole, *_limits(root)])


def _limits(root: Path) -> list[int]:
    found = []
    for folder in _cgroups(root):
        for name in ("memory.max", "memory.limit_in_bytes"):
            try:
                found.append(int((folder / name).read_text()))
            except (OSError, ValueError):
                # Not there, or `max`: no limit.
                continue
    return found


def _cgroups(root: Path) -> list[Path]:
    """Return the folders that may bound this process's memory, those above its own included."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        # In a container the path may be the host's, which is not there; the mount is its own then.
        own = mount / path.lstrip("/")
        found += [own, *own.parents[: len(Path(path).parts) - 1]]
    return found
