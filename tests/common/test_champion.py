import mlflow
import pytest

from common import champion
from common.errors import UserError


@pytest.fixture
def search(store):
    """Make a finished search with this test F1 on these test rows."""

    def make(f1, digest="rows"):
        tags = {champion.DIGEST: digest, "workflow.step": "train_grid"}
        with mlflow.start_run(tags=tags) as active:
            mlflow.log_metrics({"test_f1": f1, "val_f1": f1, "test_roc_auc": 0.9})
            mlflow.log_param("best_maxDepth", 5)
            mlflow.log_text("", "portable-model/MLmodel")
        return mlflow.get_run(active.info.run_id)

    return make


def enter(run, rescore=None):
    def unexpected(_):
        raise AssertionError("the champion was scored on the same rows")

    version = champion.register(run, "income")
    return champion.challenge(version, rescore or unexpected, "income")


def champion_version():
    return str(champion.present_champion("income").version)


def tags(version):
    return mlflow.MlflowClient().get_model_version("income", version).tags


def test_first_winner_is_champion(search):
    assert enter(search(0.85)).alias == "champion"
    assert champion_version() == "1"


def test_higher_score_on_the_same_rows_takes_the_alias(search):
    enter(search(0.85))
    verdict = enter(search(0.86))
    assert verdict.alias == "champion"
    assert champion_version() == "2"
    assert tags("2")["reason"].startswith("higher: test f1 0.860000 against 0.850000 of version 1")
    assert tags("1")["followed_by"] == "2"
    assert tags("2")["follows"] == "1"


@pytest.mark.parametrize("f1", [0.85, 0.84])
def test_equal_or_lower_score_is_challenger_with_the_reason(search, f1):
    enter(search(0.85))
    assert enter(search(f1)).alias == "challenger"
    assert champion_version() == "1"
    assert tags("2")["reason"].startswith("not higher")


@pytest.mark.parametrize(("theirs", "alias"), [(0.80, "champion"), (0.90, "challenger")])
def test_champion_of_other_rows_is_scored_on_the_contenders(search, theirs, alias):
    enter(search(0.95, digest="other rows"))
    assert enter(search(0.85), rescore=lambda _: theirs).alias == alias


def test_champion_that_cannot_score_the_rows_stays(search):
    def fail(_):
        raise UserError("no column age")

    enter(search(0.85, digest="other table"))
    verdict = enter(search(0.99), rescore=fail)
    assert verdict.alias == "challenger"
    assert "champion 1 cannot score these test rows: no column age" in verdict.reason


def test_search_is_registered_once_with_its_scores(search):
    run = search(0.85)
    enter(run)
    assert enter(run).version == "1"
    found = tags("1")
    assert found["search"] == run.info.run_id
    assert found["best_maxDepth"] == "5"
    assert found["test_digest"] == "rows"
    assert champion.test_scores(champion.present_champion("income")) == {"f1": 0.85, "roc_auc": 0.9}


def test_going_back_gives_the_alias_to_a_version_by_hand(search):
    enter(search(0.85))
    enter(search(0.86))
    champion.set_champion("income", "1")
    assert champion_version() == "1"
    assert tags("1")["reason"] == "set by hand after version 2"
    assert tags("1")["follows"] == "2"


def test_way_back_is_not_undone_by_entering_again(search):
    runs = [search(0.85), search(0.86)]
    for run in runs:
        enter(run)
    champion.set_champion("income", "1")
    assert [enter(run).alias for run in runs] == ["champion", "challenger"]
    assert champion_version() == "1"


def test_champion_that_lost_its_place_is_told_to_whom(search):
    first = search(0.85)
    enter(first)
    enter(search(0.86))
    assert enter(first).reason == "version 2 took its place"


def test_challenger_that_is_made_champion_is_challenger_no_more(search):
    enter(search(0.85))
    enter(search(0.84))
    champion.set_champion("income", "2")
    assert set(mlflow.MlflowClient().get_registered_model("income").aliases) == {"champion"}


@pytest.mark.parametrize("name", ["", "a/b", "a:b"])
def test_name_that_no_model_can_have_is_refused(name):
    with pytest.raises(UserError, match="name must be some text without / and :"):
        champion.check_name(name)


def test_version_that_does_not_exist_is_refused_with_those_that_do(search):
    enter(search(0.85))
    with pytest.raises(UserError, match="version '7' of model 'income' does not exist; there are 1"):
        champion.set_champion("income", "7")


def test_run_that_is_no_search_is_refused(store):
    with mlflow.start_run() as active:
        pass
    with pytest.raises(UserError, match="which is no finished search"):
        champion.register(mlflow.get_run(active.info.run_id), "income")
