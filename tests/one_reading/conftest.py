"""A small table with every type, a pipeline fitted to it, and the three ways to read a file of it."""

from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.pyfunc import scoring_server
from pyspark.ml.classification import LogisticRegression

from common.data.fetch import Location
from common.data.read import read_source
from common.data.reading import NO_INTEGER, NO_TEXT
from common.data.spec_yaml import parse_spec
from common.errors import UserError
from common.learning.vectorizer import fit_vectorizer, vectorize
from common.machine.spark import file_uri
from common.scoring import portable_model
from common.scoring.export import vocabulary
from common.scoring.kept_model import write_artifacts
from common.scoring.records import read_records
from common.scoring.stages import pipeline_model
from common.search.winner import scoring_pipeline
from common.store.logged_data import input_schema
from common.store.portable_models import find_portable_model

SPEC = """
name: shop
label: bought
labels: [No, Yes]
positive: Yes
strata: [bought]
encoding: {encoding}
columns:
  - {{name: item, type: string, role: category}}
  - {{name: n, type: integer, role: numeric}}
  - {{name: price, type: double, role: numeric}}
  - {{name: size, type: integer, role: category}}
  - {{name: bought, type: string, role: label}}
"""
# Items and sizes that the pipeline knows; each has a different probability.
HEADER = "item,n,price,size,bought\n"
ITEMS = (
    '24" monitor',
    'a, "b", c',
    "end\\\\",
    "over\nlines",
    "NA",
    "None",
    "null",
    "true",
    "München",
    "?",
)
SIZES = (1, 2, 3)


def line(item="x", n="5", price="2.5", size="1", bought="Yes"):
    """A line of CSV with the cells as given."""
    return ",".join((item, n, price, size, bought)) + "\n"


@pytest.fixture(scope="session")
def shop():
    """The data set's spec for an encoding."""
    return lambda encoding="utf-8": parse_spec(SPEC.format(encoding=encoding), "shop")


@pytest.fixture(scope="session")
def pipeline(spark, shop):
    rows = [
        (item, place * 3 % 7, place * 1.5, size, "Yes" if (place + size) % 3 else "No")
        for place, item in enumerate(ITEMS)
        for size in SIZES
    ]
    train = spark.createDataFrame(rows, shop().schema).coalesce(1)
    vectorizer = fit_vectorizer(train, shop(), "onehot")
    model = LogisticRegression(maxIter=5).fit(vectorize(train, vectorizer, shop()))
    return scoring_pipeline(vectorizer, model, shop())


@pytest.fixture(scope="session")
def kept(pipeline, shop, tmp_path_factory):
    """Folder of the portable model."""
    folder = tmp_path_factory.mktemp("shop")
    mlflow.pyfunc.save_model(
        str(folder / "model"),
        python_model=portable_model.__file__,
        artifacts=write_artifacts(
            folder, pipeline_model(pipeline, shop()).SerializeToString(), shop().input_form
        ),
        signature=ModelSignature(inputs=input_schema(shop())),
        metadata=vocabulary(pipeline, shop()),
        pip_requirements=["mlflow"],
    )
    return folder / "model"


@dataclass(frozen=True)
class Ways:
    """The three ways; each returns the rows it read, as (item, n, price, size), or raises Refused."""

    spark: object
    shop: object
    model: object
    kept: object
    folder: Path

    @property
    def inner(self):
        """The model that MLflow wraps."""
        return self.model.unwrap_python_model()

    def train(self, path, encoding="utf-8"):
        spec = self.shop(encoding)
        try:
            frame = read_source(self.spark, spec, Location("path", file_uri(path), "")).frame
            return [tuple(row[:4]) for row in frame.collect()]
        except UserError as error:
            raise Refused(str(error)) from None

    def batch(self, path, encoding="utf-8"):
        form = self.shop(encoding).input_form
        try:
            records = read_records(self.spark, file_uri(path), form)
            values = [records.table.cells[name].value for name in form.columns]
            whole = records.table.frame.select(*values, records.table.good, records.table.reason)
            rows = [tuple(row) for row in whole.collect()]
        except UserError as error:
            raise Refused(str(error)) from None
        for row in rows:
            if not row[4]:
                raise Refused(row[5])
        return [row[:4] for row in rows]

    def served_rows(self, content, content_type="text/csv"):
        """Return the rows that the service reads from a request and scores."""
        seen = []
        score = self.inner.scorer.score
        self.inner.scorer.score = lambda values: seen.append(values) or score(values)
        try:
            self.serve(content, content_type)
        finally:
            del self.inner.scorer.score
        (values,) = seen
        none = {"item": NO_TEXT, "n": None, "price": None, "size": NO_INTEGER}
        columns = [
            [None if value == none[name] else value for value in values[name].tolist()] for name in none
        ]
        return list(zip(*columns, strict=True))

    def serve(self, content, content_type="text/csv"):
        """Return the answer to a request."""
        schema = self.model.metadata.get_input_schema()
        try:
            answer = scoring_server.invocations(content, content_type, self.model, schema)
        except MlflowException as error:
            raise Refused(error.message, error.get_http_status_code()) from None
        assert answer.status == 200, answer.response
        return answer.response


class Refused(Exception):
    """A file was refused; for a request, with its status."""

    def __init__(self, message, status=400):
        super().__init__(message if status == 400 else f"error of the server's own: {message}")


@pytest.fixture(scope="session")
def ways(spark, shop, kept, tmp_path_factory):
    # The server reads requests; the model makes it apply its own rules.
    assert scoring_server.invocations
    model = mlflow.pyfunc.load_model(str(kept))
    return Ways(spark, shop, model, find_portable_model(str(kept)), tmp_path_factory.mktemp("files"))
