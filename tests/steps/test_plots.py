from click.testing import CliRunner

from common.learning.learners import get_learner
from common.search.grid import grid_candidates
from common.store.conf import load_grid
from steps import plots as module
from steps.plots import plots
from tests.common.search.searches import result, text


def test_search_is_drawn_again_from_its_table_alone(tmp_path):
    table = tmp_path / "candidates.csv"
    table.write_text(text([result({"maxDepth": d, "maxIter": 5}, 0.8 + d / 100) for d in (1, 2)]))
    done = CliRunner().invoke(plots, [str(table), str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    files = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"findings.md", "next_grid.yaml", "interactive.html", "effects.png"} <= files
    gbt = get_learner("gbt")
    candidates = grid_candidates(load_grid(str(tmp_path / "out" / "next_grid.yaml"), gbt), gbt)
    assert {"maxDepth": 2, "maxIter": 5} in candidates


def test_genetic_search_is_drawn_with_the_table_beside_it(tmp_path, monkeypatch):
    results = [result({"maxDepth": d, "maxIter": 5}, 0.8 + d / 100) for d in (1, 2)]
    table, seen = tmp_path / "candidates.csv", []
    table.write_text(text(results, generations={one.name: [0] for one in results}))
    monkeypatch.setattr(module, "search_charts", lambda read: seen.append(read.diversity) or [])
    for found in ({}, {0: 0.25}):
        done = CliRunner().invoke(plots, [str(table), str(tmp_path / "out")])
        assert done.exit_code == 0, done.output
        assert seen[-1] == found
        (tmp_path / "generations.csv").write_text("generation,diversity\n0,0.25\n")


def test_mistake_is_one_line_and_leaves_nothing(tmp_path):
    table = tmp_path / "other.csv"
    for content, message in (
        (None, "cannot be read"),
        ("a,b\n1,2\n", "must be the candidates.csv of a search"),
        (text([result({"depth": 1}, 0.8)]), "no learner has the parameters depth"),
    ):
        if content is not None:
            table.write_text(content)
        done = CliRunner().invoke(plots, [str(table), str(tmp_path / "out")])
        assert done.exit_code == 1
        assert message in done.stderr
        assert not (tmp_path / "out").exists()
