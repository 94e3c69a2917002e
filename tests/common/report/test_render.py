import re

from common.report.page import Champion, Command, Page, Picture, Search, Section, Table
from common.report.render import markdown, render

NASTY = "<b>x</b><script>alert(1)</script>"
TABLE = Table(["column", "gain"], [[NASTY, "+0.1 better"], ["age", "-0.1 worse"]], words=("column",))
CHAMPION = Champion(
    title=NASTY,
    uri="models:/income/2",
    story=NASTY,
    figures=[("F1", "0.8656", "0.3871")],
    facts=[("hyperparameters", NASTY)],
    comparison=TABLE,
    compared=NASTY,
    pictures=[Picture("confusion", b"\x89PNG")],
    card=f"# Card\n\n| column |\n|---|\n| {NASTY} |\n\n![seen](http://elsewhere/x.png) [gone](http://elsewhere)",
)
SEARCH = Search(NASTY, "run-1", [NASTY], TABLE, f"**maxDepth** {NASTY}", [Picture("effects", b"\x89PNG")])


def page(**changed):
    said = {
        "title": NASTY,
        "subtitle": NASTY,
        "warning": "",
        "champion": CHAMPION,
        "judged": Section(NASTY, TABLE),
        "searches": [SEARCH],
        "data": Section("", TABLE),
        "split": Section(NASTY, TABLE),
        "describe": Section("none"),
        "lineage": TABLE,
        "commands": [Command("again", f"mlflow run . -P source='{NASTY}'")],
    }
    return render(Page(**{**said, **changed}))


def test_no_text_is_taken_for_html():
    shown = page()
    assert "&lt;b&gt;x&lt;/b&gt;" in shown
    assert "<b>x" not in shown
    assert "<script" not in shown


def test_page_needs_nothing_from_elsewhere():
    shown = page()
    loaded = re.findall(r"""(?:src|href|action|data)\s*=\s*["']?([^"'\s>]*)""", shown)
    assert {uri.partition(":")[0] for uri in loaded if not uri.startswith("#")} == {"data"}
    assert "url(" not in shown
    assert "@import" not in shown


def test_markdown_stands_below_the_heading_it_is_under():
    assert markdown("# What\n\n## How", 3) == "<h4>What</h4>\n<h5>How</h5>\n"
    assert "<strong>maxDepth</strong>" in page()


def test_what_is_missing_is_a_sentence():
    shown = page(champion="There is no champion.", judged=Section("no winner"), searches=[])
    assert "<p>There is no champion.</p>" in shown
    assert "Verdicts on" not in shown
    assert "There are no searches yet" in shown
    assert "Model card" not in shown


def test_same_page_is_the_same_text():
    assert page() == page()
