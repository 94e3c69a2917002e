"""The Makefile in a folder with spaces and quotes in its path, with stand-ins for Python and Java."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.project import ROOT

# As pip has it, since the line of an interpreter cannot hold a path with spaces.
PYTHON = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
import json, os, sys
import psutil
with open(os.environ["LOG"], "a") as log:
    print(json.dumps(sys.argv[1:]), file=log)
with open(os.environ["LOG"] + ".parents", "a") as log:
    print(psutil.Process().parent().name(), file=log)
"""


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Checkout:
    """A copy of the Makefile, with an existing environment."""

    def __init__(self, folder):
        self.folder, self.log = folder, folder / "log"
        folder.mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        script(folder / ".venv/bin/python", PYTHON)
        script(folder / "java/bin/java", "#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n")
        for name in ("requirements.txt", ".venv/installed", ".venv/spark-classes.jsa"):
            (folder / name).touch()

    def make(self, *arguments, **environment):
        given = {"JAVA_HOME": str(self.folder / "java"), "LOG": str(self.log), **environment}
        command = [shutil.which("make"), *arguments]
        # Variables of an outer make, if there is one, must not reach this one.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return subprocess.run(
            command, cwd=self.folder, env={**inherited, **given}, capture_output=True, text=True
        )

    def called(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "it's my project")


def test_commands_and_their_values_may_have_spaces_apostrophes_and_dollars(checkout):
    source = "/data/Anna's people/in $HOME/adult.data"
    assert checkout.make("main", f"source={source}", "grid=gbt_fine").returncode == 0
    assert checkout.make("lint").returncode == 0
    assert checkout.make("serve", f"model={source}", "port=5056").returncode == 0
    main, *lint, serve = checkout.called()
    run = ["-m", "steps.run", "run", ".", "--env-manager", "local", "-e", "main"]
    assert main == [*run, "-P", f"source={source}", "-P", "grid=gbt_fine"]
    assert [call[1] for call in lint[:-1]] == ["ruff", "ruff", "mypy"]
    assert "importlinter" in lint[-1][1]
    assert serve == ["-m", "steps.serve", "--model", source, "--port", "5056"]


@pytest.mark.parametrize("version", ["17.0.15", "21", "21.0.1", "25", "25.0.3"])
def test_java_that_spark_runs_on_is_taken(checkout, version):
    script(checkout.folder / "java/bin/java", f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    assert checkout.make("java").returncode == 0


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "24", "26", "250.1", "17-ea"])
def test_another_java_is_refused_with_what_is_needed(checkout, version):
    script(checkout.folder / "java/bin/java", f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    done = checkout.make("java")
    assert done.returncode != 0
    assert done.stderr.startswith("Java 17, 21 or 25 is needed: install one (Debian: ")


@pytest.fixture
def pythons(checkout):
    """A folder of stand-ins, the only Pythons on the PATH; functions to add one and to run make."""
    folder = checkout.folder / "bin"
    for name in ("sh", "touch", "uname", "sed", "tr", "xargs"):
        folder.mkdir(exist_ok=True)
        (folder / name).symlink_to(shutil.which(name))
    (checkout.folder / ".venv/installed").unlink()

    def add(name, version):
        # An unsuitable one also represents pyenv's shim of a version that is not selected.
        chosen = f'[ "$1" = -c ] && {{ {"true" if version >= (3, 11) else "false"}; exit; }}\n'
        script(folder / name, f'#!/bin/sh\n{chosen}echo "{name} $@" >>"$LOG.pythons"\n')

    def make(*arguments):
        return checkout.make(".venv/installed", *arguments, PATH=str(folder))

    return add, make


def test_first_python_that_suits_makes_the_environment(checkout, pythons):
    add, make = pythons
    add("python3.11", (3, 9))
    add("python3.12", (3, 12))
    add("python3", (3, 12))
    pins = ["mlflow==3.0", "cffi==2.1 ; platform_python_implementation != 'PyPy'"]
    text = f"# made by a tool\n\n{pins[0]}   # via -r requirements.in\n{pins[1]}  # via cryptography\n"
    (checkout.folder / "requirements.txt").write_text(text)
    assert make().returncode == 0
    assert (checkout.folder / "log.pythons").read_text() == "python3.12 -m venv .venv\n"
    install = checkout.called()[0]
    assert install[:3] == ["-m", "pip", "install"]
    assert install[-4:] == ["--no-deps", "--no-compile", *pins]


def test_failed_installation_is_no_environment(checkout, pythons):
    add, make = pythons
    add("python3.12", (3, 12))
    (checkout.folder / "requirements.txt").write_text("mlflow==0.0\n")
    script(checkout.folder / ".venv/bin/python", "#!/bin/sh\n[ $2 != pip ]\n")
    assert make().returncode != 0
    assert not (checkout.folder / ".venv/installed").exists()


def test_no_python_that_suits_is_told_in_a_line(pythons):
    add, make = pythons
    needed = "Python 3.11, 3.12 or 3.13 is needed, and "
    assert make().stderr.startswith(f"{needed}none is on PATH: ")
    add("python3", (3, 10))
    assert make().stderr.startswith(f"{needed}none is on PATH: ")
    assert make("PYTHON=python3").stderr.startswith(f"{needed}python3 is none of them: ")


@pytest.mark.parametrize("command", ["main", "report"])
def test_make_terminates_what_it_runs_when_it_is_terminated(checkout, command):
    """A shell between the two would end alone."""
    assert checkout.make(command).returncode == 0
    *_, parent = (checkout.folder / "log.parents").read_text().splitlines()
    assert "make" in parent
