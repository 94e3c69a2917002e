"""A step started by a Python without the packages says so."""

import ast
import os
import subprocess
import sys
import venv
from pathlib import Path

import pyspark
import pytest

import steps
from tests.project import ROOT

SOURCES = sorted([*ROOT.glob("steps/**/*.py"), *ROOT.glob("common/**/*.py")])


def imported(path):
    """Yield the top-level packages that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def test_all_packages_that_the_project_imports_are_looked_for():
    named = {name for path in SOURCES for name in imported(path)}
    assert named - sys.stdlib_module_names - {"common", "steps"} == set(steps.PACKAGES)


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """The folder of a python command without packages."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder / "bin"


def test_step_tells_what_its_python_lacks_in_a_line(bare):
    command = [bare / "python", "-m", "steps.split", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    said = done.stderr.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"Error: {bare}/python lacks PIL, click, data_profiling and ")
    assert said[0].endswith('PATH=".venv/bin:$PATH" mlflow run ... --env-manager local')


@pytest.mark.parametrize("version", ["3.5.1", None])
def test_pyspark_of_another_spark_on_the_python_path_is_named_in_a_line(tmp_path, version):
    """As where a shell has PYTHONPATH=$SPARK_HOME/python."""
    package = tmp_path / "pyspark"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError\n")
    if version:
        (package / "version.py").write_text(f'__version__: str = "{version}"\n')
    done = split_with(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: PYTHONPATH '{tmp_path}' has another pyspark than requirements.txt, "
        f"{package}/__init__.py: unset PYTHONPATH\n"
    )


@pytest.mark.parametrize("package", ["pyspark", "common"])
def test_same_pyspark_or_another_package_on_the_python_path_does_no_harm(tmp_path, package):
    if package == "pyspark":
        (tmp_path / package).symlink_to(Path(pyspark.__file__).parent)
    else:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError\n")
    done = split_with(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def split_with(folder):
    command = [sys.executable, "-m", "steps.split", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_mlflow_outside_the_environment_shows_that_line(bare, tmp_path):
    command = [sys.executable, "-m", "mlflow", "run", ".", "-e", "split", "--env-manager", "local"]
    # MLflow sets some in this process, as other tests call it.
    own = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={
            **own,
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
            "PATH": f"{bare}{os.pathsep}/usr/bin{os.pathsep}/bin",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"\nError: {bare}/python lacks PIL, " in done.stderr
    assert "ModuleNotFoundError" not in done.stderr
