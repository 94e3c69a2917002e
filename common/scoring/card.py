"""The model card: what a portable model was made from, how well it performs, and how to use it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.data.quantiles import with_strata
from common.data.readable import bound
from common.data.row_hash import quoted
from common.data.shares import shown_probability
from common.data.spec import DatasetSpec
from common.data.target import BINARY, MULTICLASS, REGRESSION
from common.learning.metrics import shown_number, shown_score
from common.learning.tasks import Labels, Table, guess_scores, labels_of, scores
from common.learning.threshold import HALF
from common.learning.vectorizer import FEATURES, LABEL
from common.scoring.card_input import HEADER, RULES, input_rows
from common.scoring.comparison import TOLERANCE, Agreement
from common.search.winner import PREDICTION

# The introduction names no more labels.
SHOWN_LABELS = 20
# What Markdown would take for more than text in a cell.
_SPECIAL = re.compile(r"[\\`*\[\]|]|<(?=[A-Za-z/!?])|(?<!\w)_|_(?!\w)")


def stratum_scores(
    pipeline: PipelineModel, rows: DataFrame, others: DataFrame, spec: DatasetSpec
) -> pd.DataFrame:
    """Return how a scoring pipeline performs on each of the data set's strata.

    Args:
        pipeline: The pipeline from raw record to prediction and, for labels, probability.
        rows: Raw records with their label.
        others: The other records of the data set, which was split into strata as a whole.
        spec: The data set, which names the strata; a number to predict counts by its quantile.

    Returns:
        A row per stratum, or one row for all records if there are no strata: the strata's columns, the
        number of rows, and the means of the task's MEASURES.
    """
    columns = [quoted(name) for name in spec.names]
    whole = rows.select(columns).union(others.select(columns))
    divided, names = with_strata(rows.drop(FEATURES, LABEL), spec.strata, spec, whole)
    # Aliases that cannot clash with a column of the data set.
    strata = {f"__{number}": name for number, name in enumerate(names)}
    measures = MEASURES[spec.task](spec)
    scored = pipeline.transform(divided).select(
        *[quoted(name).cast("string").alias(alias) for alias, name in strata.items()],
        *[measure.cast("double").alias(f"__m{place}") for place, measure in enumerate(measures.values())],
    )
    means = [F.avg(f"__m{place}").alias(f"__m{place}") for place in range(len(measures))]
    counted = scored.groupBy(*strata).agg(F.count(F.lit(1)).alias("__rows"), *means).orderBy(*strata)
    table = pd.DataFrame(counted.toPandas())
    table[list(strata)] = table[list(strata)].fillna("missing")
    return table.set_axis([*spec.strata, "rows", *measures], axis=1)


def _of_two(spec: DatasetSpec) -> dict[str, Column]:
    positive = spec.positive
    return {
        **_of_several(spec),
        f"predicted {positive}": F.col(PREDICTION) == positive,
        f"mean probability of {positive}": vector_to_array(F.col("probability"))[1],
    }


def _of_several(spec: DatasetSpec) -> dict[str, Column]:
    return {"predicted right": quoted(spec.label) == F.col(PREDICTION)}


def _of_numbers(spec: DatasetSpec) -> dict[str, Column]:
    error = F.col(PREDICTION) - quoted(spec.label)
    return {"mean error": error, "mean absolute error": F.abs(error)}


# By task, what is averaged over a stratum's rows, by the name to show.
MEASURES = {BINARY: _of_two, MULTICLASS: _of_several, REGRESSION: _of_numbers}


@dataclass(frozen=True)
class Origin:
    """What a model was made from.

    Attributes:
        learner: Name of the learner.
        parameters: The hyperparameters that it was fitted with.
        digests: Digests of the training and test rows, by the name to show.
        fitted_by: What fitted it, such as "Spark's GBTClassifier"; empty for a vote of several models.
        caveats: What its scores do not say by themselves, in sentences.
    """

    learner: str
    parameters: Mapping[str, Any]
    digests: Mapping[str, str]
    fitted_by: str = ""
    caveats: Sequence[str] = ()


def model_card(
    spec: DatasetSpec,
    made: Origin,
    test: Table,
    strata: pd.DataFrame,
    found: Agreement,
    example: pd.DataFrame,
    known: Mapping[str, Any],
) -> str:
    """Return the card as Markdown.

    Args:
        spec: The data set.
        made: What the model was made from.
        test: Counts of the model's predictions on the test rows.
        strata: `stratum_scores` of the test rows.
        found: How well the portable model agrees with the Spark pipeline.
        example: A few records, for the example request.
        known: What the model learned about its columns, as `vocabulary` returns it.
    """
    return "\n\n".join(
        [
            _introduction(spec, known),
            _made_from(spec, made, found),
            "## How well it performs on the test rows",
            _scores(spec, test),
            _strata(spec, strata),
            "## Input",
            _table(HEADER, input_rows(spec, known)),
            RULES,
            _use(example),
        ]
    )


def _introduction(spec: DatasetSpec, known: Mapping[str, Any]) -> str:
    returned = {
        BINARY: f"`prediction`, which is {_code(spec.positive)} above a probability of "
        f"{known.get('threshold', HALF):g}, and `probability`, that of {_code(spec.positive)}",
        MULTICLASS: "`prediction`, one of these labels, and their probabilities, each named "
        "`probability_` and the label",
        REGRESSION: "`prediction`, a number",
    }
    return f"""\
# {spec.name}: {spec.label}

Predicts {_code(spec.label)}{_labels(spec)} from one record. It returns
{returned[spec.task]}.
It is an ONNX pipeline in MLflow's pyfunc flavour and needs neither Spark nor Java."""


def _labels(spec: DatasetSpec) -> str:
    named = [_code(label) for label in spec.labels[:SHOWN_LABELS]]
    more = len(spec.labels) - len(named)
    if more:
        return f" ({', '.join(named)} or one of {more} other labels)"
    return f" ({', '.join(named[:-1])} or {named[-1]})" if named else ""


def _code(text: str) -> str:
    """Return a text as it is, in a code span of Markdown; its fences are longer than any within."""
    fence = "`" * (1 + max((len(found) for found in re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _made_from(spec: DatasetSpec, made: Origin, found: Agreement) -> str:
    rows = "; ".join(f"{name} rows, digest `{digest}`" for name, digest in made.digests.items())
    chosen = ", ".join(f"{name}={value}" for name, value in made.parameters.items())
    by = f"\n- fitted on all training rows by {made.fitted_by}" if made.fitted_by else ""
    noted = "".join(f"\n- {_escaped(one)}" for one in made.caveats)
    refused = f". It refuses {found.refused:,} more" if found.refused else ""
    agree = "predict the same labels, with probabilities that differ by at most"
    if spec.task == REGRESSION:
        agree = (
            "predict numbers that differ, as a part of the number or, if that is larger, of the numbers' "
            "standard deviation, by at most"
        )
    return f"""\
## Made from

- data set {_code(spec.name)}; {rows}
- learner `{made.learner}`: {chosen or "its defaults"}{by}{noted}

The Spark pipeline that it was exported from is `spark-model` in the same run. On {found.rows:,} test rows
both {agree}
{bound(found.largest)} (allowed: {TOLERANCE:g}){refused}."""


def _use(example: pd.DataFrame) -> str:
    body = json.dumps({"dataframe_split": {"columns": list(example), "data": _values(example)}})
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


def _values(example: pd.DataFrame) -> list[list[object]]:
    """Return a few records as JSON has them: numbers with all digits, and null where there is none."""
    cells = example.astype(object).where(example.notna(), None)
    rows = cells.to_numpy().tolist()
    return [[one.item() if isinstance(one, np.generic) else one for one in row] for row in rows]


def _scores(spec: DatasetSpec, test: Table) -> str:
    labels = labels_of(test)
    found, guess = scores(test), guess_scores(labels)
    rows = [[name, *(shown_score(name, side[name]) for side in (found, guess))] for name in found]
    explained = {BINARY: _binary_words, MULTICLASS: _class_words, REGRESSION: _number_words}
    return explained[spec.task](spec, labels) + "\n\n" + _table(["metric", "value", "guessing"], rows)


def _binary_words(spec: DatasetSpec, labels: Labels) -> str:
    often = spec.labels[int(labels.count.argmax())]
    share = shown_probability(labels.count[1] / labels.rows)
    return f"""\
f1, precision and recall are those of {_code(spec.positive)}; with the suffix `_label_0`, those of
{_code(spec.labels[0])}; with `_weighted`, Spark's own, weighted by the number of rows of each label.
Guessing predicts {_code(often)} for every row (for the f1, precision and recall of one label, that
label), with the probability {share} of {_code(spec.positive)}: its share of the test rows."""


def _class_words(spec: DatasetSpec, labels: Labels) -> str:
    often = spec.labels[int(labels.count.argmax())]
    return f"""\
roc_auc is the mean over the labels of the area of each against all others; f1_macro and recall_macro are
means over the labels that occur, f1_weighted is weighted by their rows. Guessing predicts {_code(often)}
for every row, with the labels' shares of the test rows as probabilities."""


def _number_words(spec: DatasetSpec, labels: Labels) -> str:
    mean = shown_number(float(np.average(labels.values, weights=labels.count)))
    return f"""\
rmse, mae and median_absolute_error have the unit of {_code(spec.label)}, and lower is better; r2 is the
share of its variance that is explained, below 0 if errors are larger than those of guessing.
Guessing predicts {mean}, the test rows' mean, for every row."""


def _strata(spec: DatasetSpec, table: pd.DataFrame) -> str:
    # Shares have the same digits, so that they can be compared; numbers may be of any size.
    show = shown_number if spec.task == REGRESSION else partial(shown_score, "accuracy")
    rows = [
        [show(value) if isinstance(value, float) else str(value) for value in row]
        for row in table.itertuples(index=False)
    ]
    by = f"By {', '.join(spec.strata)}:\n\n" if spec.strata else ""
    return by + _table(list(table.columns), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[_escaped(cell) for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
