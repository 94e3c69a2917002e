"""Draw the pictures and findings of a search again from its candidates.csv, without Spark.

Not an entry point, since it has no run: python -m steps.plots runs:/RUN/candidates.csv FOLDER
"""

from pathlib import Path

import click

from common.learning.learners import get_learner, learner_with
from common.machine.user_path import user_path
from common.plots.interactive import PAGE, page
from common.plots.search import search_charts
from common.plots.still import stills
from common.search.findings.candidates import parse_candidates
from common.search.findings.find import find, grid_yaml
from common.search.findings.words import markdown
from common.store import artifacts
from steps.command import command


@command("plots")
@click.argument("candidates")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def plots(candidates: str, folder: Path) -> None:
    """Draw a search into FOLDER from its CANDIDATES: the path or runs:/ URI of a candidates.csv.

    Of a genetic search, the generations.csv beside it is read too.
    """
    text = artifacts.read_text(candidates)
    generations = artifacts.neighbour(candidates, "generations.csv")
    read = parse_candidates(text, candidates, generations)
    raced = read.learners[0].learner if read.learners else ""
    learner = get_learner(raced) if raced else learner_with(list(read.parameters))
    found = find(read, learner.parameters)
    charts = search_charts(read)
    files = {**stills(charts), PAGE: page(f"Search of {learner.name}", charts).encode()}
    files |= {"next_grid.yaml": grid_yaml(found).encode()}
    files["findings.md"] = markdown(found, learner.name, str(folder / "next_grid.yaml")).encode()
    folder = user_path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    click.echo(f"{len(files)} files in {folder}")


if __name__ == "__main__":
    plots()
