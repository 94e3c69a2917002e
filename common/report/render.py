"""The page as HTML in one file: nothing is loaded from elsewhere, and no text is taken for HTML."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from common.report.page import Page

# Neither links nor images: what is shown has been written by data.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
MARKDOWN.disable(["link", "image", "autolink", "reference", "html_block", "html_inline"])


def render(page: Page) -> str:
    """Return the page: the same page, the same text."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"markdown": markdown, "inline": inline, "data_uri": data_uri}
    return templates.get_template("page.html.j2").render(page=page)


def markdown(text: str, below: int = 2) -> Markup:
    """Return Markdown as HTML, HTML in it as text.

    Args:
        text: Markdown.
        below: the level of heading that it stands under.
    """
    tokens = MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + below, 6)}"
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    # Markup of the renderer's own: in text it has escaped these.
    html = html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    return Markup(html)


def inline(text: str) -> Markup:
    """Return a sentence of ours, its `code` as such."""
    return Markup(MARKDOWN.renderInline(text))


def data_uri(png: bytes) -> str:
    """Return a picture as part of the page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
