import shutil
import sys
from subprocess import PIPE, Popen
from threading import Event, Thread, current_thread

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path

from common.champion.verdict import Terms
from common.errors import UserError
from common.store import challenge, registry
from common.store.challenge import ELSEWHERE, set_champion
from tests.common.store.contenders import enter, make_search
from tests.project import ROOT

pytestmark = pytest.mark.usefixtures("store")

LOW, MIDDLE, HIGH = [0.85, 0.86], [0.86, 0.87], [0.87, 0.88]


def champion_version():
    return str(registry.present_champion("income").version)


def tags(version):
    return MlflowClient().get_model_version("income", version).tags


def aliases():
    held = MlflowClient().get_registered_model("income").aliases
    return {alias: str(version) for alias, version in held.items()}


def test_first_winner_is_champion():
    assert enter(make_search(LOW)).became == "champion"
    assert champion_version() == "1"


def test_better_over_the_same_folds_takes_the_alias():
    enter(make_search(LOW))
    verdict = enter(make_search(HIGH))
    assert verdict.became == "champion"
    assert champion_version() == "2"
    assert tags("2")["reason"].startswith(
        "better: roc_auc 0.875000 against 0.855000 over the same 2 folds"
    )
    assert tags("1")["followed_by"] == "2"
    assert tags("2")["follows"] == "1"


@pytest.mark.parametrize("folds", [LOW, [0.84, 0.86], [0.80, 0.92]])
def test_not_better_by_more_than_an_error_is_challenger_with_the_reason(folds):
    enter(make_search(LOW))
    assert enter(make_search(folds)).became == "challenger"
    assert champion_version() == "1"
    assert tags("2")["reason"].startswith("not better")


def test_test_scores_choose_nothing():
    enter(make_search(LOW))
    better_on_test = make_search([0.84, 0.85])
    MlflowClient().log_metric(better_on_test.info.run_id, "test_roc_auc", 0.99)
    assert enter(mlflow.get_run(better_on_test.info.run_id)).became == "challenger"


def test_margin_that_is_asked_anew_is_judged_anew():
    enter(make_search(LOW))
    run = make_search([0.80, 0.92])
    assert enter(run).became == "challenger"
    assert enter(run, Terms(0.0, {})).became == "champion"


@pytest.mark.parametrize(
    "other", [{"dataset": "other"}, {"metric": "f1"}, {"source": "sample"}, {"metric": "log_loss"}]
)
def test_another_kind_never_takes_the_alias_but_by_hand(other):
    enter(make_search(LOW))
    verdict = enter(make_search(HIGH, **other))
    assert verdict.became == "challenger"
    assert "version=2 makes it champion anyway" in verdict.reason
    assert champion_version() == "1"
    set_champion("income", "2")
    assert champion_version() == "2"


def test_real_rows_take_the_alias_from_the_sample_whatever_they_score():
    enter(make_search(HIGH, source="sample", metric="f1"))
    verdict = enter(make_search(LOW))
    assert verdict.became == "champion"
    assert "was trained on the synthetic sample" in verdict.reason


def test_version_without_its_folds_scores_stays_champion():
    enter(make_search(LOW))
    MlflowClient().delete_model_version_tag("income", "1", "fold_scores")
    verdict = enter(make_search(HIGH))
    assert verdict.became == "challenger"
    assert "version 1 has no recorded fold scores" in verdict.reason


def test_rows_that_cannot_be_read_leave_the_champion():
    def fail(*_):
        raise UserError("its training rows are gone")

    enter(make_search(LOW))
    verdict = enter(make_search(HIGH, folds_digest="others:2"), compare=fail)
    assert verdict.became == "challenger"
    assert verdict.reason == (
        "it cannot be compared with champion 1: its training rows are gone; version=2 makes it champion "
        "anyway"
    )


def test_version_that_fails_a_gate_is_registered_and_never_champion():
    verdict = enter(make_search(HIGH), failed="f1 is 0.5, at least 0.6 is required")
    assert verdict.became == "rejected"
    assert registry.present_champion("income") is None
    assert aliases() == {}
    assert tags("1")["reason"] == "it fails its gates: f1 is 0.5, at least 0.6 is required"
    assert tags("1")["verdict"] == "rejected"


def test_gate_that_is_taken_away_lets_the_version_be_judged():
    run, strict = make_search(HIGH), Terms(None, {"f1": 0.6})
    enter(run, strict, failed="f1 is 0.5, at least 0.6 is required")
    assert enter(run).became == "champion"


def test_going_back_gives_the_alias_to_a_version_by_hand():
    enter(make_search(LOW))
    enter(make_search(HIGH))
    set_champion("income", "1")
    assert champion_version() == "1"
    assert tags("1")["reason"] == "set by hand after version 2"
    assert tags("1")["follows"] == "2"
    assert "followed_by" not in tags("1")


@pytest.mark.parametrize("spelt", ["01", "1 "])
def test_champion_that_is_spelt_another_way_does_not_follow_itself(spelt):
    enter(make_search(LOW))
    assert set_champion("income", spelt).version == "1"
    assert "follows" not in tags("1")
    assert tags("1")["reason"] == "there was no champion"


def test_way_back_is_not_undone_by_entering_again():
    runs = [make_search(LOW), make_search(MIDDLE), make_search(HIGH)]
    for run in runs:
        enter(run)
    set_champion("income", "1")
    assert [enter(run).became for run in runs] == ["champion"] + ["former champion"] * 2
    assert [enter(run, Terms(0.0, {})).became for run in runs[1:]] == ["former champion"] * 2
    assert champion_version() == "1"


def test_alias_that_another_program_moved_is_no_verdict_of_ours():
    runs = [make_search(LOW), make_search(HIGH)]
    for run in runs:
        enter(run)
    MlflowClient().set_registered_model_alias("income", "champion", "1")
    best = enter(runs[1], Terms(0.0, {}))
    assert (best.became, best.reason) == ("former champion", "version 1 took its place")
    assert enter(runs[0]).reason == ELSEWHERE == set_champion("income", "1").reason
    assert tags("1")["verdict"] == "champion"
    assert not {"follows", "followed_by"} & tags("1").keys()


def test_model_without_a_champion_judges_old_versions_again():
    run = make_search(LOW)
    enter(run)
    enter(make_search(HIGH))
    MlflowClient().delete_registered_model_alias("income", "champion")
    assert enter(run).became == "champion"


def test_models_are_compared_as_they_predict_where_the_metric_depends_on_the_threshold():
    good = make_search([0.1, 0.1], metric="f1", fold_scores_at_threshold="[0.4, 0.42]")
    bad = make_search([0.2, 0.2], metric="f1", fold_scores_at_threshold="[0.3, 0.31]")
    enter(good)
    found = enter(bad)
    assert found.became == "challenger"
    assert "f1 0.305000 against 0.410000 over the same 2 folds, each at its threshold" in found.reason


def test_champion_whose_files_are_gone_gives_way():
    first, second = make_search(HIGH), make_search(LOW)
    enter(first)
    shutil.rmtree(local_file_uri_to_path(first.info.artifact_uri))
    found = enter(second)
    assert (found.became, found.reason) == ("champion", "the files of champion 1 are gone")


@pytest.mark.parametrize("scores", [(HIGH, LOW), (LOW, HIGH)])
def test_champion_whose_files_are_gone_gives_way_to_one_that_was_judged_before(scores):
    runs = [make_search(folds) for folds in scores]
    for run in runs:
        enter(run)
    lost = int(champion_version()) - 1
    shutil.rmtree(local_file_uri_to_path(runs[lost].info.artifact_uri))
    found = enter(runs[1 - lost])
    assert (found.became, found.reason) == ("champion", f"the files of champion {lost + 1} are gone")
    assert champion_version() == str(2 - lost)
    assert enter(runs[lost]).became == "former champion"
    assert champion_version() == str(2 - lost)


def test_of_two_versions_whose_files_are_gone_the_champion_stays():
    runs = [make_search(HIGH), make_search(LOW)]
    for run in runs:
        enter(run)
        shutil.rmtree(local_file_uri_to_path(run.info.artifact_uri), ignore_errors=True)
    assert champion_version() == "2"
    assert enter(runs[0]).became == "former champion"
    assert champion_version() == "2"


def test_champion_that_lost_its_place_is_told_to_whom():
    first = make_search(LOW)
    enter(first)
    enter(make_search(HIGH))
    found = enter(first)
    assert (found.became, found.reason) == ("former champion", "version 2 took its place")
    assert aliases() == {"champion": "2"}


def test_challenger_that_is_made_champion_is_challenger_no_more():
    enter(make_search(HIGH))
    enter(make_search(LOW))
    assert aliases() == {"champion": "1", "challenger": "2"}
    set_champion("income", "2")
    assert aliases() == {"champion": "2"}


def test_version_that_does_not_exist_is_refused_with_those_that_do():
    enter(make_search(LOW))
    with pytest.raises(
        UserError, match="version '7' of model 'income' does not exist; existing versions: 1"
    ):
        set_champion("income", "7")


class Killed(BaseException):
    """Ends a challenge like a kill: nothing after it is executed."""


WRITES = (
    "set_model_version_tag",
    "delete_model_version_tag",
    "set_registered_model_alias",
    "delete_registered_model_alias",
)


def count_writes(monkeypatch, stop_at=None, instead=None):
    """Count the writes to the registry; at one of them raise Killed, or call `instead` before it."""
    done = []
    for name in WRITES:
        write = getattr(MlflowClient, name)

        def counted(*args, write=write, **kwargs):
            done.append(write.__name__)
            if len(done) == stop_at:
                if instead is None:
                    raise Killed
                instead()
            return write(*args, **kwargs)

        monkeypatch.setattr(MlflowClient, name, counted)
    return done


def writes_of_a_challenge():
    """Return the number of writes of a contender that takes the alias."""
    with pytest.MonkeyPatch.context() as patch:
        done = count_writes(patch)
        enter(make_search(HIGH))
    return len(done)


@pytest.mark.slow
def test_killed_at_any_write_the_same_command_ends_as_if_it_had_not_been(monkeypatch):
    enter(make_search(LOW))
    total = writes_of_a_challenge()
    assert total > 5
    MlflowClient().delete_registered_model("income")
    for stop_at in range(1, total + 1):
        first, second = make_search(LOW), make_search(HIGH)
        enter(first)
        with monkeypatch.context() as patch:
            count_writes(patch, stop_at)
            with pytest.raises(Killed):
                enter(second)
        # The reason is written before the alias.
        if champion_version() == "2":
            assert tags("2")["reason"].startswith("better: ")
        verdict = enter(second)
        assert (verdict.became, champion_version()) == ("champion", "2")
        assert tags("2")["reason"].startswith("better: roc_auc 0.875000 against 0.855000")
        assert (tags("1")["followed_by"], tags("2")["verdict"]) == ("2", "champion")
        assert enter(first).reason == "version 2 took its place"
        MlflowClient().delete_registered_model("income")


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [(MIDDLE, HIGH), (HIGH, MIDDLE)])
def test_challenge_in_the_middle_of_another_leaves_the_better_one(monkeypatch, one, other):
    """At each write of one challenge, a whole other challenge takes place."""
    enter(make_search(LOW))
    total = writes_of_a_challenge()
    MlflowClient().delete_registered_model("income")
    for stop_at in range(1, total + 1):
        enter(make_search(LOW))
        first, second = make_search(one), make_search(other)
        registry.register(first, "income")
        registry.register(second, "income")
        with monkeypatch.context() as patch:
            count_writes(patch, stop_at, instead=lambda run=second: enter(run))
            enter(first)
        better = "2" if one == HIGH else "3"
        assert champion_version() == better, stop_at
        assert tags(better)["verdict"] == "champion"
        # After concurrent challenges, entering again changes nothing.
        assert {enter(run).version for run in (first, second)} == {"2", "3"}
        assert champion_version() == better
        MlflowClient().delete_registered_model("income")


@pytest.mark.parametrize("scores", [(HIGH, MIDDLE), (MIDDLE, HIGH)])
def test_later_of_two_sees_a_claim_that_was_there_before_it(monkeypatch, scores):
    """Both have claimed the alias; the first ends, then the second goes on."""
    enter(make_search(LOW))
    searches = [make_search(folds) for folds in scores]
    versions = [str(registry.register(search, "income").version) for search in searches]
    there, ended = Event(), Event()
    second = Thread(target=enter, args=(searches[1],))
    set_alias = MlflowClient.set_registered_model_alias

    def in_turn(client, name, alias, version):
        if (alias, str(version)) == ("champion", versions[0]) and not second.ident:
            second.start()
            assert there.wait(60)
        if current_thread() is second and not there.is_set():
            there.set()
            assert ended.wait(60)
        set_alias(client, name, alias, version)

    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", in_turn)
    enter(searches[0])
    ended.set()
    second.join()
    assert champion_version() == versions[scores.index(HIGH)]


CHALLENGER = """
import sys
import mlflow
from tests.common.store.contenders import enter
print("ready", flush=True)
for run_id in sys.stdin:
    print(enter(mlflow.get_run(run_id.strip())).became, flush=True)
"""


@pytest.mark.slow
def test_two_processes_at_once_end_with_the_better_champion():
    command = [sys.executable, "-c", CHALLENGER]
    processes = [Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for scores in ([HIGH, MIDDLE], [MIDDLE, HIGH]) * 3:
        enter(make_search(LOW))
        searches = [make_search(folds) for folds in scores]
        # The versions exist already, so that both reach the alias at the same moment.
        versions = [registry.register(search, "income") for search in searches]
        for process, search in zip(processes, searches, strict=True):
            process.stdin.write(f"{search.info.run_id}\n")
            process.stdin.flush()
        became = [process.stdout.readline().strip() for process in processes]
        better = str(versions[scores.index(HIGH)].version)
        assert champion_version() == better
        assert tags(better)["verdict"] == "champion"
        assert set(became) <= {"champion", "challenger"}
        MlflowClient().delete_registered_model("income")
    for process in processes:
        process.communicate()
        assert process.returncode == 0


def test_champion_that_changes_all_the_time_is_an_error_of_one_line(monkeypatch):
    enter(make_search(LOW))
    monkeypatch.setattr(challenge, "ATTEMPTS", 0)
    with pytest.raises(
        UserError, match="name 'income': the champion changed 0 times during the challenge"
    ):
        enter(make_search(HIGH))
