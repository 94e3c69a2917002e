"""The memory available to this process: the machine's, or less where a container limits it."""

import os
from pathlib import Path


def machine_memory(root: Path = Path("/")) -> int:
    """Return the bytes that this process may use: the machine's memory or its lowest cgroup limit.

    Args:
        root: The root of the file system; tests replace it.

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
                # A missing file and `max` both mean that there is no limit.
                continue
    return found


def _cgroups(root: Path) -> list[Path]:
    """Return the cgroup folders that may limit this process's memory: its own and their parents."""
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
        # In a container the path may be the host's: then the mount point itself is its cgroup.
        own = mount / path.lstrip("/")
        found += [own, *own.parents[: len(Path(path).parts) - 1]]
    return found
