"""The content of a workflow's report as plain values, independent of the store and of HTML."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        header: Names of the columns.
        rows: Cells of each row.
        words: Names of the left-aligned columns; the others hold numbers and are right-aligned.
        code: Names of the columns with IDs and digests.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[str] = ()
    code: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        name: Its name.
        png: Its content as PNG.
    """

    name: str
    png: bytes


@dataclass(frozen=True)
class Champion:
    """The version of the model that holds the champion alias.

    Attributes:
        title: Name, version and learner of the model.
        uri: URI by which MLflow loads it.
        story: Where it comes from and why it holds the alias.
        figures: The metrics shown in large type: name, value and a guess's score.
        facts: Further facts: name and value.
        comparison: Comparison with the previous champion; None if there is none.
        compared: What it is compared with, or why there is no comparison.
        pictures: Pictures of its performance.
        card: Its model card as Markdown; None if there is none.
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
    """A search and its results.

    Attributes:
        title: Its step and learner.
        run_id: ID of its run.
        summary: Sentences about it.
        best: Its best candidates; None if its table of candidates is missing.
        findings: Its findings as Markdown; None if there are none.
        pictures: Pictures of its candidates.
    """

    title: str
    run_id: str
    summary: Sequence[str]
    best: Table | None
    findings: str | None
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Section:
    """A text followed by a table, or a text that explains why there is no table."""

    text: str
    table: Table | None = None


@dataclass(frozen=True)
class Command:
    """A command line and its purpose."""

    purpose: str
    line: str


@dataclass(frozen=True)
class Page:
    """The whole page, in order.

    Attributes:
        title: Title of the page.
        subtitle: The run that the report is about, with its time and commit.
        warning: A warning about the figures; usually empty.
        champion: The champion, or a sentence if there is none.
        judged: The versions that this workflow's winners were registered as.
        searches: The searches.
        data: The data set and its source.
        split: The split into training and test rows.
        describe: Summary of the columns.
        lineage: Every run and its inputs.
        commands: Commands that repeat the workflow or use its champion.
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
