"""The model card: what a portable model was made from, how well it does, and how it is used."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.data.row_hash import quoted
from common.data.spec import DatasetSpec
from common.learning.metrics import ScoreTable, guess_scores, label_counts, scores
from common.scoring.export import TOLERANCE, Agreement

RULES = """\
Each column must be there once; columns more are ignored. An integer is a whole number and a double a
finite one; text, true or null in their place is refused, with the row and the column. A category that
was never seen in training, or a null for one, is scored as a category of its own, as Spark does; a
number out of the range seen is scored too. Spaces around a text are no part of it, and of a boolean it
is `true` or `false`. CSV may have a header, or the data set's own columns in order. No rows give no
scores.

What was seen in training, categories and ranges, is in `MLmodel` under `metadata`."""


def stratum_scores(pipeline: PipelineModel, rows: DataFrame, spec: DatasetSpec) -> pd.DataFrame:
    """Return how a scoring pipeline does on each of the data set's strata, in one Spark job.

    Args:
        pipeline: raw record -> prediction (text) and probability.
        rows: raw records with their label.
        spec: for the strata.

    Returns:
        For each stratum, and for all rows, the rows, the share that is predicted right, the share
        that is predicted positive, and the mean probability of that.
    """
    # Names that no column of a data set has.
    strata = {f"__{number}": name for number, name in enumerate(spec.strata)}
    scored = pipeline.transform(rows.drop("features", "label")).select(
        *[quoted(name).cast("string").alias(alias) for alias, name in strata.items()],
        (quoted(spec.label) == F.col("prediction")).cast("double").alias("__right"),
        (F.col("prediction") == spec.positive).cast("double").alias("__positive"),
        vector_to_array(F.col("probability"))[1].alias("__probability"),
    )
    means = [F.avg(name).alias(name) for name in ("__right", "__positive", "__probability")]
    counted = scored.groupBy(*strata).agg(F.count(F.lit(1)).alias("__rows"), *means).orderBy(*strata)
    table = pd.DataFrame(counted.toPandas()).rename(columns=strata)
    positive = spec.positive
    shown = ("rows", "predicted right", f"predicted {positive}", f"mean probability of {positive}")
    return table.set_axis([*spec.strata, *shown], axis=1)


def model_card(
    spec: DatasetSpec,
    learner: str,
    parameters: Mapping[str, Any],
    digests: Mapping[str, str],
    test: ScoreTable,
    strata: pd.DataFrame,
    found: Agreement,
    example: pd.DataFrame,
) -> str:
    """Return the card as Markdown.

    Args:
        spec: of the data set.
        learner: name of it.
        parameters: that it was fitted with.
        digests: of the training and test rows, by what to call them.
        test: counts of its predictions of the test rows.
        strata: `stratum_scores` of the test rows.
        found: how the portable model agrees with the Spark pipeline.
        example: some records.
    """
    return "\n\n".join(
        [
            _introduction(spec),
            _made_from(spec, learner, parameters, digests, found),
            "## How well it does on the test rows",
            _scores(spec, test),
            _strata(spec, strata),
            "## What it takes",
            _table(["column", "type"], [[column.name, column.type] for column in spec.inputs]),
            RULES,
            _use(example),
        ]
    )


def _introduction(spec: DatasetSpec) -> str:
    labels = " or ".join(f"`{label}`" for label in spec.labels)
    return f"""\
# {spec.name}: {spec.label}

Predicts `{spec.label}` ({labels}) from one record. The answer is `prediction`, one of these, and
`probability`, of `{spec.positive}`. An ONNX pipeline in MLflow's pyfunc flavour: it needs no Spark and
no Java."""


def _made_from(
    spec: DatasetSpec,
    learner: str,
    parameters: Mapping[str, Any],
    digests: Mapping[str, str],
    found: Agreement,
) -> str:
    rows = "; ".join(f"{name} rows, digest `{digest}`" for name, digest in digests.items())
    chosen = ", ".join(f"{name}={value}" for name, value in parameters.items())
    refused = f"; {found.refused:,} more it refuses" if found.refused else ""
    return f"""\
## Made from

- data set `{spec.name}`; {rows}
- learner `{learner}`: {chosen or "its defaults"}

The Spark pipeline that it was written from is `spark-model` of the same run. On {found.rows:,} test rows
both give the same labels, and probabilities that differ by {found.largest:.1e} at most (allowed:
{TOLERANCE:g}){refused}."""


def _use(example: pd.DataFrame) -> str:
    body = json.dumps({"dataframe_split": json.loads(example.to_json(orient="split", index=False))})
    quoted_body = "'" + body.replace("'", "'\\''") + "'"
    return f"""\
## Use

```
mlflow models serve -m MODEL --env-manager local -p 5055
curl http://127.0.0.1:5055/invocations -H "Content-Type: application/json" -d {quoted_body}
```

```python
import mlflow

model = mlflow.pyfunc.load_model("MODEL")
model.predict(records)
```

MODEL is this folder, or `models:/NAME@champion`.
"""


def _scores(spec: DatasetSpec, test: ScoreTable) -> str:
    rows = label_counts(test)
    found, guess = scores(test), guess_scores(rows)
    table = [[name, f"{found[name]:.4f}", f"{guess[name]:.4f}"] for name in found]
    often, share = spec.labels[int(rows[1] > rows[0])], rows[1] / rows.sum()
    return f"""\
f1, precision and recall are of `{spec.positive}`; those in `_label_0` of `{spec.labels[0]}`; those in
`_weighted` are Spark's, weighted by how many rows each label has. Guessing says `{often}` of every row,
with the probability {share:.4f} of `{spec.positive}`, the share of the test rows that are.

""" + _table(["metric", "value", "guessing"], table)


def _strata(spec: DatasetSpec, table: pd.DataFrame) -> str:
    rows = [
        [str(value) if isinstance(value, (str, int)) else f"{value:.4f}" for value in row]
        for row in table.itertuples(index=False)
    ]
    by = f"By {', '.join(spec.strata)}:\n\n" if spec.strata else ""
    return by + _table(list(table.columns), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)
