"""A small table with every type, and the three ways to read a file of it.

The third is the model that a service has loaded. It is called as MLflow's server calls it: with the text
of CSV, and with what it finds in JSON and in Parquet; what was read comes back as a frame.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from pyspark.sql import functions as F

from common.data import reading
from common.data.fetch import Location
from common.data.read import read_source
from common.data.reading import DATE, NO_INTEGER, NO_TEXT, TIMESTAMP, Unreadable
from common.data.spec_yaml import parse_spec
from common.errors import UserError
from common.machine.spark_settings import file_uri
from common.scoring.portable_model import PortableModel
from common.scoring.records import read_records
from common.scoring.serving.tables import frame_of

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
PARQUET, JSON = "application/vnd.apache.parquet", "application/json"


def line(item="x", n="5", price="2.5", size="1", bought="Yes"):
    """A line of CSV with the cells as given."""
    return ",".join((item, n, price, size, bought)) + "\n"


@pytest.fixture(scope="session")
def shop():
    """The data set's spec for an encoding."""
    return lambda encoding="utf-8": parse_spec(SPEC.format(encoding=encoding), "shop")


class Refused(Exception):
    """A file was refused."""


@dataclass(frozen=True)
class Ways:
    """The three ways; each returns the rows that it read, as tuples of the model's inputs, or raises
    Refused. A missing value is None; dates and timestamps are texts."""

    spark: object
    spec_of: object
    folder: Path

    def train(self, path, encoding="utf-8"):
        spec = self.spec_of(encoding)
        try:
            frame = read_source(self.spark, spec, Location("path", file_uri(path), "")).frame
            values = [
                self.shown(frame[f"`{name.replace('`', '``')}`"], spec.form.columns[name])
                for name in spec.input_form.columns
            ]
            return [tuple(row) for row in frame.select(*values).collect()]
        except UserError as error:
            raise Refused(str(error)) from None

    def batch(self, path, encoding="utf-8"):
        form = self.spec_of(encoding).input_form
        try:
            records = read_records(self.spark, file_uri(path), form)
            values = [
                self.shown(records.table.values[name], kind).alias(f"v{place}")
                for place, (name, kind) in enumerate(form.columns.items())
            ]
            whole = records.table.frame.select(*values, records.table.good, records.table.reason)
            rows = [tuple(row) for row in whole.collect()]
        except UserError as error:
            raise Refused(str(error)) from None
        for *_, good, reason in rows:
            assert good == (reason is None), reason
            if not good:
                raise Refused(reason)
        return [row[:-2] for row in rows]

    def each(self, path):
        """Return what batch makes of each record of a file, by its column `id`: its row or the reason."""
        form = self.spec_of("utf-8").input_form
        try:
            found = read_records(self.spark, file_uri(path), form).table
        except UserError as error:
            raise Refused(str(error)) from None
        values = [self.shown(found.values[name], kind) for name, kind in form.columns.items()]
        told = found.frame.select(F.col("id").cast("int"), *values, found.good, found.reason).collect()
        rows = sorted((tuple(row) for row in told), key=lambda row: row[0])
        assert all(good == (reason is None) for *_, good, reason in rows)
        return [row[1:-2] if row[-2] else row[-1] for row in rows]

    def served(self, content, content_type="text/csv", encoding="utf-8"):
        form = self.spec_of(encoding).input_form
        # A model's form is kept as JSON.
        form = reading.Form.from_json(form.to_json())
        model = PortableModel()
        model.reading, model.form = reading, form
        try:
            if content_type == "text/csv":
                values = model.read_csv(reading.decode(content, form.encoding))
            elif content_type == PARQUET:
                values = model.read_parquet(content)
            else:
                ((name, table),) = json.loads(content).items()
                values = model.read(frame_of(name, table, model))
            # MLflow's server hands on what was read as a frame.
            values = model.read(model.with_nulls(reading.own_named(pd.DataFrame(values))))
        except (Unreadable, MlflowException, ValueError) as error:
            raise Refused(str(error)) from None
        return self.rows_of(values, form)

    def rows_of(self, values, form):
        """Return the rows of columns that the Python rules read."""
        columns = []
        for name, kind in form.columns.items():
            found = values[name]
            if kind in (DATE, TIMESTAMP):
                assert found.dtype == np.dtype("datetime64[us]")
                assert (found.view(np.int64) == NO_INTEGER).tolist() == np.isnat(found).tolist()
                text = found.astype("datetime64[D]" if kind == DATE else found.dtype).astype(str)
                columns.append([None if value == "NaT" else value.replace("T", " ") for value in text])
            else:
                none = (NO_TEXT, NO_INTEGER)
                columns.append(
                    [None if value in none or value != value else value for value in found.tolist()]
                )
        return list(zip(*columns, strict=True))

    def shown(self, column, kind):
        """Return a column of Spark with times as NumPy writes them."""
        if kind == TIMESTAMP:
            return F.date_format(column, "yyyy-MM-dd HH:mm:ss.SSSSSS")
        return column.cast("string") if kind == DATE else column


@pytest.fixture(scope="session")
def ways(spark, shop, tmp_path_factory):
    return Ways(spark, shop, tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def ways_of(spark, tmp_path_factory):
    """The three ways to read a data set of another spec."""
    folder = tmp_path_factory.mktemp("others")
    return lambda spec: Ways(spark, lambda encoding="utf-8": replace(spec, encoding=encoding), folder)
