import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.machine.memory import machine_memory
from tests.project import ROOT

GIB = 1 << 30
WHOLE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def files(root, content):
    for name, text in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2, V1 = "sys/fs/cgroup", "sys/fs/cgroup/memory"
CPU_FIRST = "9:cpu,cpuacct:/a\n8:memory:{}\n0::/\n"


@pytest.mark.parametrize(
    ("content", "limit"),
    [
        ({}, WHOLE),
        # Version 2: in a container, its cgroup is the root of what it sees.
        ({"proc/self/cgroup": "0::/\n", f"{V2}/memory.max": f"{GIB}\n"}, GIB),
        ({"proc/self/cgroup": "0::/\n", f"{V2}/memory.max": "max\n"}, WHOLE),
        # A service or job below several limits: the lowest counts.
        (
            {
                "proc/self/cgroup": "0::/batch/job\n",
                f"{V2}/batch/job/memory.max": "max\n",
                f"{V2}/batch/memory.max": f"{GIB}\n",
            },
            GIB,
        ),
        # Version 1, with the host's path in a container that does not have it.
        (
            {
                "proc/self/cgroup": CPU_FIRST.format("/docker/abc"),
                f"{V1}/memory.limit_in_bytes": f"{GIB}\n",
            },
            GIB,
        ),
        (
            {"proc/self/cgroup": CPU_FIRST.format("/job"), f"{V1}/job/memory.limit_in_bytes": f"{GIB}\n"},
            GIB,
        ),
        # The value of version 1 if there is no limit.
        (
            {
                "proc/self/cgroup": CPU_FIRST.format("/"),
                f"{V1}/memory.limit_in_bytes": "9223372036854771712\n",
            },
            WHOLE,
        ),
        # A folder of the same name under another controller does not limit memory.
        ({"proc/self/cgroup": "9:cpu:/\n", f"{V2}/memory.max": f"{GIB}\n"}, WHOLE),
    ],
)
def test_memory_is_the_machines_or_the_least_limit_above_the_process(content, limit, tmp_path):
    assert machine_memory(files(tmp_path, content)) == limit


def test_limit_of_a_real_cgroup_is_seen():
    home = Path("/sys/fs/cgroup/memory")
    name = "memory.limit_in_bytes"
    if not home.is_dir():
        home, name = Path("/sys/fs/cgroup"), "memory.max"
    group = home / f"income-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / name).write_text(str(GIB))
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        pytest.skip(f"no cgroup can be made here: {error}")
    try:
        asked = "from common.machine.memory import machine_memory; print(machine_memory())"
        enter = f'echo $$ > {group}/cgroup.procs && exec "$0" -c "$1"'
        done = subprocess.run(
            ["sh", "-c", enter, sys.executable, asked], cwd=ROOT, capture_output=True, text=True
        )
        assert done.stdout.strip() == str(GIB), done.stderr
    finally:
        group.rmdir()
