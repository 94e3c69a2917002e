"""The model card: what a portable model was made from, how well it performs, and how to use it."""

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
from common.data.target import REGRESSION
from common.learning.metrics import ScoreTable, guess_scores, label_counts, scores
from common.scoring.card_input import HEADER, RULES, input_rows
from common.scoring.export import TOLERANCE, Agreement


def stratum_scores(pipeline: PipelineModel, rows: DataFrame, spec: DatasetSpec) -> pd.DataFrame:
    """Return how a scoring pipeline performs on each of the data set's strata, in one Spark job.

    Args:
        pipeline: The pipeline from raw record to prediction (text) and probability.
        rows: Raw records with their label.
        spec: The data set, which names the strata.

    Returns:
        A row per stratum, or one row for all records if there are no strata: the strata's columns, the
        number of rows, the share predicted correctly, the share predicted positive, and the mean
        probability of the positive label.
    """
    # Aliases that cannot clash with a column of the data set.
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
    known: Mapping[str, Any],
) -> str:
    """Return the card as Markdown.

    Args:
        spec: The data set.
        learner: Name of the learner.
        parameters: The hyperparameters that it was fitted with.
        digests: Digests of the training and test rows, by the name to show.
        test: Counts of the model's predictions on the test rows.
        strata: `stratum_scores` of the test rows.
        found: How well the portable model agrees with the Spark pipeline.
        example: A few records, for the example request.
        known: What the model learned about its columns, as `vocabulary` returns it.
    """
    return "\n\n".join(
        [
            _introduction(spec),
            _made_from(spec, learner, parameters, digests, found),
            "## How well it performs on the test rows",
            _scores(spec, test),
            _strata(spec, strata),
            "## Input",
            _table(HEADER, input_rows(spec, known)),
            RULES,
            _use(example),
        ]
    )


def _introduction(spec: DatasetSpec) -> str:
    labels = " or ".join(f"`{label}`" for label in spec.labels)
    return f"""\
# {spec.name}: {spec.label}

Predicts `{spec.label}` ({labels}) from one record. It returns `prediction`, one of these labels, and
`probability`, that of `{spec.positive}`. It is an ONNX pipeline in MLflow's pyfunc flavour and needs
neither Spark nor Java."""


def _made_from(
    spec: DatasetSpec,
    learner: str,
    parameters: Mapping[str, Any],
    digests: Mapping[str, str],
    found: Agreement,
) -> str:
    rows = "; ".join(f"{name} rows, digest `{digest}`" for name, digest in digests.items())
    chosen = ", ".join(f"{name}={value}" for name, value in parameters.items())
    refused = f". It refuses {found.refused:,} more" if found.refused else ""
    agree = "predict the same labels, with probabilities that differ by at most"
    if spec.task == REGRESSION:
        agree = "predict numbers that differ, as a part of the larger of 1 and the number, by at most"
    return f"""\
## Made from

- data set `{spec.name}`; {rows}
- learner `{learner}`: {chosen or "its defaults"}

The Spark pipeline that it was exported from is `spark-model` in the same run. On {found.rows:,} test rows
both {agree}
{found.largest:.1e} (allowed: {TOLERANCE:g}){refused}."""


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
f1, precision and recall are those of `{spec.positive}`; with the suffix `_label_0`, those of
`{spec.labels[0]}`; with `_weighted`, Spark's own, weighted by the number of rows of each label. Guessing
predicts `{often}` for every row, with the probability {share:.4f} of `{spec.positive}`: its share of the
test rows.

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
