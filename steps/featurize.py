"""Entry point featurize: logs vectorizer/ (Spark model), train/, test/, feature_names.json."""

import json

import click

from common.learning.vectorizer import (
    feature_names,
    fit_vectorizer,
    vectorize,
)
from common.search.folds import assign_fold_rank
from steps.command import step_command
from steps.step import step

# Features that are named.
SHOWN = 6


@step_command("featurize")
def featurize(encoding: str, missing: str, seed: int) -> None:
    """Fit the vectoriser on the training rows, apply it to both sides, and assign the folds."""
    with step("featurize") as run:
        spec = run.dataset("split")
        train, test = run.frame("split", "train"), run.frame("split", "test")
        vectorizer = fit_vectorizer(train, spec, encoding, missing)
        folded = assign_fold_rank(train, spec.label, seed, spec.task)
        run.log_frame("train", vectorize(folded, vectorizer, spec))
        run.log_frame("test", vectorize(test, vectorizer, spec))
        run.log_vectorizer(vectorizer, spec)
        names = feature_names(vectorizer, spec)
        run.log_text("feature_names.json", json.dumps(names, indent=0, ensure_ascii=False))
        run.log_dataset(spec)
        click.echo(told(names))


def told(names: list[str]) -> str:
    """Say how many features there are, and name the first."""
    more = ", ..." if len(names) > SHOWN else ""
    return f"{len(names):,} feature{'s' * (len(names) != 1)}: {', '.join(names[:SHOWN])}{more}"


if __name__ == "__main__":
    featurize()
