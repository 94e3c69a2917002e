"""The links in the documents work, and what they say about the code is true."""

import json
import re
from urllib.parse import unquote

import pandas as pd
import pytest

from common.learning.learners import LEARNERS
from tests.project import ROOT

README, REFERENCE = ROOT / "README.md", ROOT / "docs" / "reference.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text(path):
    """A document without its examples."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path):
    """As GitHub makes them: lower case, no punctuation, hyphens for spaces."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(text(path))
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_of_a_document_are_there(document):
    links = [link for link in LINK.findall(text(document)) if "://" not in link]
    for link in links:
        file, _, anchor = unquote(link).partition("#")
        target = (document.parent / file).resolve() if file else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_picture_is_shown_by_a_document():
    shown = {
        (document.parent / unquote(link)).resolve()
        for document in DOCUMENTS
        for link in LINK.findall(text(document))
        if "://" not in link and "#" not in link
    }
    kept = set((ROOT / "docs/images").iterdir())
    assert kept == {path for path in shown if path.parent.name == "images"}


def test_pictures_are_small_enough_for_a_clone():
    assert sum(path.stat().st_size for path in (ROOT / "docs/images").iterdir()) < 3e6


def rows(document, heading):
    """The cells of the table below a heading, without the header and the rule."""
    section = document.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_reference_has_every_learner_with_its_engines():
    told = {name.strip("`"): engines for name, engines, _ in rows(REFERENCE, "Learners")}
    assert told.pop("auto") == "the learner's"
    assert told == {name: ", ".join(learner.engines) for name, learner in LEARNERS.items()}


def test_words_of_a_lack_of_memory_are_those_of_the_engine():
    section = (
        (ROOT / "docs/troubleshooting.md").read_text().partition("\n## Memory\n")[2].partition("\n## ")[0]
    )
    engines = "".join(path.read_text() for path in (ROOT / "common/search/engines").glob("*.py"))
    told = re.findall(r"^- [*`](.+?)[*`]:", section, re.MULTILINE)
    assert len(told) == 4
    for words in told:
        assert words in engines, words


def test_table_of_the_race_has_the_means_of_its_results():
    found = pd.DataFrame(json.loads((ROOT / "benchmarks/results/automl.json").read_text())["rows"])
    means = found[found["table"] == "adult"].groupby("who").mean(numeric_only=True)
    section = rows(ROOT / "docs/benchmarks.md", "A race of learners")
    for who, cells in zip(("ours", "flaml", "autogluon"), section, strict=False):
        told = zip(("roc_auc", "log_loss", "f1", "megabytes", "milliseconds"), cells[1:], strict=True)
        for name, text in told:
            assert text == f"{means.loc[who, name]:.{len(text.partition('.')[2])}f}", (who, name)


@pytest.mark.slow
def test_example_of_the_readme_runs(spark, capsys):
    (example,) = EXAMPLE.findall(README.read_text())
    exec(example, {})
    assert "val_roc_auc" in capsys.readouterr().out
