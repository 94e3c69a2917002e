"""What the documents point at is there."""

import re
from urllib.parse import unquote

import pytest

from tests.project import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text(path):
    """A document without its examples."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path):
    """As GitHub makes them: small letters, no punctuation, a hyphen a space."""
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
