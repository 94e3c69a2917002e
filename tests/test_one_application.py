"""Main when the Spark application that its steps share dies, and when main itself is killed."""

import signal
import sys
from contextlib import suppress

import psutil
import pytest

from tests.project import MAIN, Project, table
from tests.waiting import DEADLINE, until

BRIEF = {**MAIN, "profile": "none", "generations": 0}


class BriefProject(Project):
    def _start(self, entry_point, parameters):
        return super()._start(entry_point, BRIEF if entry_point == "main" else parameters)


class MadeProject(BriefProject):
    """Main as `make main` runs it."""

    mlflow = (sys.executable, "-m", "steps.run")


@pytest.fixture
def started(request, tmp_path, slice_file):
    project = getattr(request, "param", BriefProject)(tmp_path, slice_file)
    yield project
    for process in below(project):
        with suppress(psutil.Error):
            process.kill()
    project.main[0].kill()


def below(project, *words):
    """Return the processes of main whose command contains some words."""
    found: list[psutil.Process] = []
    if project.main[0].poll() is not None:
        return found
    for process in psutil.Process(project.main[0].pid).children(recursive=True):
        try:
            if all(word in process.cmdline() for word in words):
                found.append(process)
        except psutil.Error:
            continue
    return found


def java(project):
    (main,) = (process for process in below(project, "steps.main") if "python" in process.name())
    return [process for process in main.children() if process.name() == "java"]


def wait_for(project, step):
    """Wait until a step has a session: it tells in which application."""

    def has_session():
        assert project.main[0].poll() is None
        runs = project.runs(**{"workflow.step": step})
        return any("spark.application" in run.data.tags for run in runs)

    until(has_session, pause=0.3)


@pytest.mark.slow
def test_main_goes_on_when_the_java_machine_of_its_steps_dies(started):
    wait_for(started, "featurize")
    (shared,) = java(started)
    shared.kill()
    done = started.done_main
    applications = {
        step: started.client.get_run(run_id).data.tags.get("spark.application")
        for step, (run_id, _) in table(done.stdout).items()
    }
    later = {applications[step] for step in ("featurize", "train_grid")}
    assert len(later) == 2
    assert applications["load_data"] not in later


@pytest.mark.slow
def test_java_machine_step_and_host_end_when_main_is_killed(started):
    wait_for(started, "split")
    # The host itself, the forks that are steps, and one between for each: all have the host's words.
    hosted = below(started, "common.machine.step_host")
    assert [process.name() for process in hosted].count("split") == 1
    others = [*java(started), *below(started, "steps.split")]
    (main,) = (process for process in below(started, "steps.main") if "python" in process.name())
    main.kill()
    _, alive = psutil.wait_procs(others, DEADLINE)
    assert not alive


@pytest.mark.slow
@pytest.mark.parametrize("started", [MadeProject], indirect=True)
@pytest.mark.parametrize(("step", "ending"), [("load_data", signal.SIGINT), ("split", signal.SIGTERM)])
def test_main_of_make_is_a_fork_of_its_host_and_all_ends_when_it_is_interrupted(started, step, ending):
    wait_for(started, step)
    processes = below(started)
    assert {"main", step} <= {process.name() for process in processes}
    command, _, _ = started.main
    command.send_signal(ending)
    done = started.finish(started.main)
    assert done.returncode == 1
    # Neither Python's nor Java's.
    assert "Traceback" not in done.stderr
    assert "\tat " not in done.stderr
    assert not [run.info.run_name for run in started.runs() if run.info.status == "RUNNING"]
    _, alive = psutil.wait_procs(processes, DEADLINE)
    assert not alive
