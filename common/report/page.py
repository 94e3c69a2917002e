"""What the page of a workflow says, as plain values: no store, no HTML."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        words: columns that read from the left; the others are numbers.
        code: columns of ids and digests.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[str] = ()
    code: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """A picture by its name, as PNG."""

    name: str
    png: bytes


@dataclass(frozen=True)
class Champion:
    """The version of the model that holds the alias.

    Attributes:
        title: which it is and what it is.
        uri: by which MLflow loads it.
        story: where it comes from and why it holds the alias.
        figures: what is shown large: names, values, and what guessing would score.
        facts: what else there is to know of it: names and values.
        comparison: with the champion before; none: there was none.
        compared: what it is compared with, or why it is not.
        pictures: of how well it does.
        card: its model card, as Markdown.
    """

    title: str
    uri: str
    story: str
    figures: Sequence[tuple[str, str, str]]
    facts: Sequence[tuple[str, str]]
    comparison: Table | None
    compared: str
    pictures: Sequence[Picture]
    card: str | None


@dataclass(frozen=True)
class Search:
    """A search: what it was asked, what it found.

    Attributes:
        title: its step and learner.
        run_id: its run's.
        summary: sentences on it.
        best: its first candidates; none: its table is gone.
        findings: as Markdown; none: it left none.
        pictures: of its candidates.
    """

    title: str
    run_id: str
    summary: Sequence[str]
    best: Table | None
    findings: str | None
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Section:
    """A table with what is said before it, or said in its place."""

    text: str
    table: Table | None = None


@dataclass(frozen=True)
class Command:
    """A command, and what it does."""

    purpose: str
    line: str


@dataclass(frozen=True)
class Page:
    """All of the page, in its order.

    Attributes:
        warning: what must be known before a figure is read; mostly empty.
        champion: a sentence, where there is none.
        judged: the versions that this workflow's searches became.
        lineage: every run, and what it was made from.
    """

    title: str
    subtitle: str
    warning: str
    champion: Champion | str
    judged: Section
    searches: Sequence[Search]
    data: Section
    split: Section
    describe: Section
    lineage: Table
    commands: Sequence[Command]
