"""A PostgreSQL server for a test: Debian's package, on loopback, in a folder that is removed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.service.served import free_port

USER, PASSWORD = "keeper", "not/to-be@shown-5c4b3a"


def _programs():
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        pytest.skip("there is no PostgreSQL: apt-get install postgresql")
    return places[-1]


def _identity():
    """Return the user to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL refuses to run as root, and there is no user postgres")
    return {"user": "postgres", "group": "postgres"}


@contextmanager
def postgres():
    """Start a server with an empty database; yields its URI, including the password."""
    programs, who = _programs(), _identity()
    folder, port = Path(tempfile.mkdtemp(prefix="postgres-")), free_port()
    try:
        (folder / "password").write_text(PASSWORD)
        if who:
            for path in (folder, folder / "password"):
                shutil.chown(path, **who)
        data = ["-D", str(folder / "data")]

        def run(program, *arguments):
            # The server would keep a pipe open.
            with (folder / f"{program}.log").open("w") as log:
                command = [programs / program, *data, *arguments]
                subprocess.run(command, check=True, stdout=log, stderr=log, cwd=folder, **who)

        rules = ("--auth", "scram-sha-256", "--pwfile", str(folder / "password"), "--no-sync")
        run("initdb", "--username", USER, *rules)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "server.log"), "-o", options, "start")
        try:
            yield f"postgresql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
