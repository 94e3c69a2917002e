"""The files that a step's key depends on: those that its module imports, and no others."""

import shutil

import pytest

from common.workflow.declaration import CHAIN
from common.workflow.fingerprint import PINS, ROOT, reached_files, source_fingerprint

FILES = {
    "steps/__init__.py": "",
    "steps/one.py": "import json\nfrom common.room import near\n",
    "steps/two.py": "def late():\n    import common.room.far\n",
    "common/__init__.py": "",
    "common/room/__init__.py": "",
    "common/room/near.py": "from common.store import get_or_run\nfrom common.workflow import table\n",
    "common/room/far.py": "x = 1\n",
    "common/room/page.j2": "<p>",
    "common/room/near.pyc": "bytes",
    "common/store/__init__.py": "",
    "common/store/get_or_run.py": "",
    "common/other/__init__.py": "",
    "common/other/page.j2": "<p>",
    "common/workflow/__init__.py": "",
    "common/workflow/table.py": "",
    "conf/grid.yaml": "a: [1]",
    "MLproject": "name: x",
    "README.md": "words",
    "requirements.txt": "x==1",
}


@pytest.fixture
def project(tmp_path):
    """A small project's folder."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture(scope="module")
def reached():
    """The files of this project that each step reaches."""
    return {step: reached_files(step) for step in CHAIN}


def changed(project, name):
    """Return which of the two steps get another fingerprint when a file changes."""
    before = [source_fingerprint.__wrapped__(step, project) for step in ("one", "two")]
    assert all(len(digest) == 64 for digest in before)
    (project / name).write_text(FILES[name] + " ")
    after = [source_fingerprint.__wrapped__(step, project) for step in ("one", "two")]
    return [step for step, old, new in zip(("one", "two"), before, after, strict=True) if old != new]


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("steps/one.py", ["one"]),
        ("common/room/near.py", ["one"]),
        # An import within a function counts too.
        ("common/room/far.py", ["two"]),
        ("common/room/__init__.py", ["one", "two"]),
        ("common/room/page.j2", ["one", "two"]),
        ("requirements.txt", ["one", "two"]),
        ("common/other/__init__.py", []),
        ("common/other/page.j2", []),
        # The selection of runs does not affect their results.
        ("common/workflow/table.py", []),
        ("common/store/get_or_run.py", []),
        ("common/room/near.pyc", []),
        ("conf/grid.yaml", []),
        ("MLproject", []),
        ("README.md", []),
    ],
)
def test_fingerprint_changes_with_what_the_step_reaches_alone(project, name, steps):
    assert changed(project, name) == steps


@pytest.mark.parametrize(
    "line", ["from common.room import far", "import common.room.far", "from common.room.far import x"]
)
def test_module_that_two_steps_reach_is_found_from_both(project, line):
    for name in ("one", "two"):
        (project / f"steps/{name}.py").write_text(f"{line}\n")
    found = [set(reached_files(name, project)) for name in ("one", "two")]
    # Each step's own file is its alone.
    assert found[0] - found[1] == {project / "steps/one.py"}
    assert found[1] - found[0] == {project / "steps/two.py"}
    assert project / "common/room/far.py" in found[0] & found[1]


def test_names_and_bounds_of_files_are_in_the_fingerprint(project):
    before = source_fingerprint.__wrapped__("one", project)
    (project / "common/room/near.py").write_text(FILES["common/room/near.py"] + "#")
    (project / "common/room/page.j2").write_text("<p>"[1:])
    moved = source_fingerprint.__wrapped__("one", project)
    (project / "common/room/page.j2").rename(project / "common/room/other.j2")
    assert len({before, moved, source_fingerprint.__wrapped__("one", project)}) == 3


def test_fingerprint_does_not_depend_on_where_the_project_is(project, tmp_path_factory):
    other = tmp_path_factory.mktemp("it's another") / "place"
    shutil.copytree(project, other)
    assert source_fingerprint("two", other) == source_fingerprint("two", project)


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        # A vote is scored and logged as a search's winner is, but not drawn.
        ("common/plots/chart.py", ["train_grid", "train_ga"]),
        ("common/store/pipelines.py", ["train_grid", "train_ga", "champion"]),
        ("common/search/engines/boosting/fit.py", ["train_grid", "train_ga", "champion"]),
        ("common/search/genetic.py", ["train_ga"]),
        ("common/data/describe.py", ["eda"]),
        ("common/data/strata_rank.py", ["split", "featurize", "train_grid", "train_ga", "champion"]),
        ("common/data/read.py", ["load_data"]),
        ("common/machine/spark.py", list(CHAIN)),
        ("requirements.txt", list(CHAIN)),
        ("common/report/page.py", []),
        ("common/workflow/declaration.py", []),
        ("steps/main.py", []),
    ],
)
def test_change_of_a_file_costs_the_steps_that_reach_it(reached, changed, again):
    file = ROOT / changed
    assert file.is_file()
    assert [step for step in CHAIN if file in [*reached[step], ROOT / PINS]] == again


def test_what_lies_beside_a_page_is_reached(reached):
    assert ROOT / "common/plots/page.html.j2" in reached["train_grid"]
