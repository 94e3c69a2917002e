"""The page of a small real workflow, whose data set has a column that would be HTML."""

import re

import pytest
from click.testing import CliRunner

from common.datasets.spec import CONF
from common.report import searches
from steps import report as step_report
from steps.champion import champion
from steps.eda import eda
from steps.featurize import featurize
from steps.load_data import load_data
from steps.report import report
from steps.split import split
from steps.train_grid import train_grid
from tests.browser import open_page
from tests.stores import new_store, step_caller

COLUMN = "<b>x"
GRID = '{"maxDepth": [1, 3], "maxIter": [2], "stepSize": [0.3]}'
ONE = '{"maxDepth": [1], "maxIter": [1], "stepSize": [0.3]}'


@pytest.fixture(scope="module")
def store(tmp_path_factory, empty_store):
    with new_store(tmp_path_factory.mktemp("report"), empty_store) as experiment:
        yield experiment


@pytest.fixture(scope="module")
def make_report(store, tmp_path_factory):
    """Make the report; gives what the command printed and the page."""
    path = tmp_path_factory.mktemp("reports") / "report.html"

    def make(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(step_report, "REPORT", path)
            done = CliRunner().invoke(report, arguments)
        assert done.exit_code == 0, done.output
        return done.stdout, path.read_text()

    return make


@pytest.fixture(scope="module")
def workflow(store, slice_file, tmp_path_factory, make_report):
    """The runs of a workflow by step, with the page when only data were there, and that of all."""
    conf = tmp_path_factory.mktemp("conf") / "odd.yaml"
    conf.write_text((CONF / "adult.yaml").read_text().replace("workclass", f'"{COLUMN}"'))
    call = step_caller(store)
    found = {}
    _, found["load_data"] = call(load_data, dataset=conf, source=slice_file)
    _, early = make_report()
    data = f"{found['load_data']}/data"
    _, found["eda"] = call(eda, data=data, profile="none")
    _, found["split"] = call(split, data=data)
    _, found["featurize"] = call(featurize, split=found["split"])
    _, found["first"] = call(train_grid, features=found["featurize"], grid=ONE, folds=2)
    call(champion, candidates=found["first"])
    _, found["train_grid"] = call(train_grid, features=found["featurize"], grid=GRID, folds=2)
    _, found["champion"] = call(champion, candidates=f"{found['first']},{found['train_grid']}")
    said, page = make_report()
    return found, early, said, page


@pytest.mark.slow
def test_page_tells_the_whole_workflow(workflow):
    found, _, said, page = workflow
    assert said.startswith("the report is in ")
    assert all(uri.removeprefix("runs:/") in page for uri in found.values())
    assert "income, version 2: gbt" in page
    assert "The verdict on it: higher, test f1" in page
    assert "Before it version 1, gbt by train_grid was champion (maxDepth=1" in page
    assert re.search(r"<td[^>]*>recall of &gt;50K</td>", page)
    assert "What the search found" in page
    assert "maxDepth</strong>" in page
    assert f"-e train_grid -P features={found['featurize']}" in page
    assert page.count("data:image/png;base64,") >= 8


@pytest.mark.slow
def test_names_of_data_are_text(workflow):
    _, _, _, page = workflow
    assert COLUMN not in page
    # In the describe and in the model card.
    assert page.count("&lt;b&gt;x</td>") == 2


@pytest.mark.slow
def test_page_needs_nothing_from_elsewhere(workflow):
    _, _, _, page = workflow
    loaded = re.findall(r"""(?:src|href)\s*=\s*["']?([^"'\s>]*)""", page)
    assert {uri.partition(":")[0] for uri in loaded if not uri.startswith("#")} == {"data"}
    assert len(page) < 4_000_000


@pytest.mark.slow
def test_page_of_data_alone_says_what_is_not_there(workflow):
    found, early, _, _ = workflow
    assert found["load_data"].removeprefix("runs:/") in early
    for said in ("No winner of this workflow", "Nothing has been searched", "have not been explored"):
        assert said in early


@pytest.mark.slow
def test_search_whose_artifacts_are_gone_still_has_its_place(workflow, make_report, monkeypatch):
    found, _, _, _ = workflow
    monkeypatch.setattr(searches, "find_text", lambda *_: None)
    monkeypatch.setattr(searches, "find_files", lambda *_: {})
    _, page = make_report("--workflow", found["champion"])
    assert "Its table of candidates is gone." in page
    assert "It left no findings." in page
    assert "income, version 2: gbt" in page


@pytest.mark.slow
def test_page_fits_a_desk_and_a_phone_and_logs_nothing(workflow, tmp_path):
    seen = open_page(workflow[3], tmp_path)
    assert seen.console == []
    assert [window for window, _, _ in seen.windows] == [1280, 390]
    for window, page, height in seen.windows:
        assert page <= window
        assert height > 800


def test_what_does_not_fit_and_what_is_logged_are_seen(tmp_path):
    wide = "<script>console.error('oh')</script><div style='width: 600px'>wide</div>"
    seen = open_page(wide, tmp_path)
    assert any("oh" in line for line in seen.console)
    assert [page <= window for window, page, _ in seen.windows] == [True, False]
