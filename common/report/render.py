"""The page as a self-contained HTML file; all text is escaped."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from common.report.page import Page

# Links and images are disabled, since the texts contain values from the data.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
MARKDOWN.disable(["link", "image", "autolink", "reference", "html_block", "html_inline"])


def render(page: Page) -> str:
    """Render the page as HTML; the same page always gives the same text."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"markdown": markdown, "inline": inline, "data_uri": data_uri}
    return templates.get_template("page.html.j2").render(page=page)


def markdown(text: str, below: int = 2) -> Markup:
    """Render Markdown as HTML; any HTML in it is escaped.

    Args:
        text: The Markdown.
        below: Level of the heading that the text belongs to; its own headings are lowered by as much.
    """
    tokens = MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + below, 6)}"
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    # These tags come from the renderer: it escapes any that the text contains.
    html = html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    return Markup(html)


def inline(text: str) -> Markup:
    """Render a sentence as HTML, with `code` as code."""
    return Markup(MARKDOWN.renderInline(text))


def data_uri(png: bytes) -> str:
    """Return a picture as a data URI, to embed it in the page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
