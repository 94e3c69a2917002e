"""The portable model as MLflow loads it: records in, scores out, and how its server reads a request.

MLflow stores this file with the model and runs it to load the model ("models from code"), in an
environment with MLflow, ONNX Runtime, pandas and NumPy but without this project. So it imports no other
module of the project: the copy of `common/data/reading` beside the pipeline decides which rows are valid.
"""

import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

# ONNX Runtime sends usage data to its vendor by default, and reads this variable on import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow.parquet as pq
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel

ARTIFACT = "pipeline"
PREDICTION, PROBABILITY = "prediction", "probability"
# Before a column's name, that of its input in the pipeline, which no output and no value of a graph has.
INPUT = "column "

# Artifacts beside the pipeline: the rules for reading records, and the records' form.
READING, FORM = "reading", "form"

# What a pipeline takes and gives, as NumPy's types.
KINDS = {"tensor(int64)": np.int64, "tensor(double)": np.float64, "tensor(string)": object}
# The ways to write a table in a JSON request.
FORMS = {"dataframe_split", "dataframe_records", "instances", "inputs"}
# Rows per call of the pipeline: the features of more rows do not fit in a processor's cache.
AT_ONCE = 500


def _refusal(message: object) -> MlflowException:
    return MlflowException(str(message), error_code=INVALID_PARAMETER_VALUE)


class Scorer:
    """A loaded ONNX pipeline: raw records in, predictions out.

    Attributes:
        columns: The NumPy type of each column of a record, by name; dates are int64.
        outputs: The NumPy type of each column of the answer, by name.
    """

    def __init__(self, model: bytes | str) -> None:
        """Load the pipeline from its bytes or its file's path."""
        options = onnxruntime.SessionOptions()
        # A single thread adds up trees in order, as the original model does. A server already uses
        # every core, with one process per core.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self.columns = {i.name.removeprefix(INPUT): KINDS[i.type] for i in inputs}
        self.outputs = {o.name: KINDS[o.type] for o in outputs}

    def score(self, values: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """Score columns that `read_rows` returned, valid rows only.

        Args:
            values: An array of shape (rows,) for each column.

        Returns:
            A row per record, with the pipeline's outputs: `prediction`, and for labels their
            probabilities.
        """
        feed = {name: _plain(values[name]).reshape(-1, 1) for name in self.columns}
        rows = len(next(iter(feed.values())))
        found: dict[str, np.ndarray] = {name: np.empty(rows, kind) for name, kind in self.outputs.items()}
        for start in range(0, rows, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            some = {INPUT + name: column[part] for name, column in feed.items()}
            for name, scored in zip(found, self._session.run(list(found), some), strict=True):
                found[name][part] = scored
        return pd.DataFrame(found)


def _plain(column: np.ndarray) -> np.ndarray:
    """Return dates as microseconds since 1970, the smallest integer where one is missing."""
    return column.astype("datetime64[us]").view(np.int64) if column.dtype.kind == "M" else column


class PortableModel(PythonModel):
    """The model that MLflow loads and serves.

    Attributes:
        reading: The package of reading rules stored with the model.
        form: The form of the records that it takes.
        scorer: The pipeline.
    """

    def load_context(self, context: Any) -> None:
        """Load the artifacts stored with the model."""
        read_requests_strictly()
        self.reading = _load_package(Path(context.artifacts[READING]))
        self.form = self.reading.Form.from_json(Path(context.artifacts[FORM]).read_text(encoding="utf-8"))
        self.scorer = Scorer(str(Path(context.artifacts[ARTIFACT])))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Score records, all or none.

        Returns:
            The pipeline's outputs, with the index of the records.

        Raises:
            MlflowException: A record is bad (INVALID_PARAMETER_VALUE). The message names the first.
        """
        frame = model_input.assign(**self._nulls(model_input))
        return self.scorer.score(self.read(frame)).set_index(model_input.index)

    def _nulls(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        """Return the columns that have the smallest integer where one is missing, with nulls instead.

        So integers come out of reading, and from Spark; the rules refuse it in what others write.
        """
        names = [n for n in self.form.optional if self.form.columns[n] == self.reading.INTEGER]
        found = {n: frame[n] == self.reading.NO_INTEGER for n in names if frame[n].dtype == np.int64}
        return {n: frame[n].astype(object).mask(none, None) for n, none in found.items() if none.any()}

    @contextmanager
    def refusing(self, what: str = "") -> Iterator[None]:
        """Refuse what the rules cannot read, in a message that begins with `what`."""
        try:
            yield
        except self.reading.Unreadable as error:
            raise _refusal(f"{what}{error}") from None

    def read(self, frame: pd.DataFrame) -> Mapping[str, np.ndarray]:
        """Read the columns of records by the rules stored with the model; a bad one is refused."""
        with self.refusing():
            return self.whole(self.reading.read_rows(frame, self.form))

    def decode(self, content: bytes) -> str:
        """Decode the body of a request, which must be UTF-8."""
        with self.refusing():
            return str(self.reading.decode(content, "utf-8"))

    def read_csv(self, text: str) -> Mapping[str, np.ndarray]:
        """Read the columns of CSV records, as `read` does."""
        with self.refusing("the CSV "):
            return self.whole(self.reading.read_csv(text, self.form))

    def read_parquet(self, content: bytes) -> Mapping[str, np.ndarray]:
        """Read the columns of Parquet records, as `read` does."""
        # Not by pandas, which would hide a stored index and turn integers beside a null into floats.
        table = pq.read_table(BytesIO(content))
        with self.refusing("the Parquet "):
            places = self.reading.find_named(table.column_names, self.form)
        columns = {
            name: table.column(place).to_pandas(integer_object_nulls=True, date_as_object=True)
            for name, place in places.items()
        }
        return self.read(pd.DataFrame(columns))

    def whole(self, rows: Any) -> Mapping[str, np.ndarray]:
        """Return the values of rows; the first that is not valid is refused by name."""
        said = self.reading.refusal(rows)
        if said is not None:
            raise _refusal(said)
        return rows.values


def _load_package(folder: Path) -> ModuleType:
    """Load a package from its folder under a unique name: each model has its own version of the rules."""
    name = f"kept_{uuid.uuid4().hex}"
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None, f"{folder} is not a package"
    assert spec.loader is not None, f"{folder} is not a package"
    package = module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package


# The model that the current request is for.
ASKED: ContextVar[PortableModel | None] = ContextVar("asked", default=None)


def read_requests_strictly() -> None:
    """Patch MLflow's server to parse requests by the model's own rules.

    Without the patch the server casts a request to the signature before the model sees it: 39.7 becomes
    39, true becomes 1, 1e300 some integer, 5 becomes "5" and NA a null. A request that it cannot read at
    all may be reported as an internal error. MLflow has no public hook for this. A process is patched
    once, however many models it loads, and only if it has imported the server: importing the server
    takes longer than loading the model.
    """
    server: Any = sys.modules.get("mlflow.pyfunc.scoring_server")
    if server is None or hasattr(server.invocations, "strict"):
        return
    server.infer_and_parse_data = _strict(server.infer_and_parse_data, _json)
    server.parse_csv_input = _strict(
        server.parse_csv_input, lambda model, given: model.read_csv(given.read())
    )
    server.parse_parquet_input = _strict(
        server.parse_parquet_input, lambda model, given: model.read_parquet(given.read())
    )
    server.invocations = _refusing(server.invocations)
    server.invocations.strict = True


def _strict(parse: Callable[..., Any], read: Callable[[PortableModel, Any], Any]) -> Callable[..., Any]:
    """Wrap the server's parser: a portable model reads the body itself, unless `read` returns None."""

    def parse_body(*given: Any, **named: Any) -> Any:
        model = ASKED.get()
        body = given[0] if given else next(iter(named.values()))
        values = read(model, body) if model is not None else None
        return parse(*given, **named) if values is None else pd.DataFrame(values)

    return parse_body


def _refusing(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the handler of requests: a request that cannot be read is the client's error."""

    def answer_request(data: Any, content_type: str | None, model: Any, *others: Any) -> Any:
        try:
            portable = _portable(model)
            asked = ASKED.set(portable)
            try:
                if portable and isinstance(data, bytes) and (content_type or "").startswith("text/csv"):
                    data = portable.decode(data)
                return answer(data, content_type or "none", model, *others)
            finally:
                ASKED.reset(asked)
        except MlflowException:
            raise
        except Exception as error:
            raise _refusal(f"the request cannot be read: {error}") from error

    return answer_request


def _portable(model: Any) -> PortableModel | None:
    """Return the portable model that an MLflow model wraps, from whichever copy of this file it comes."""
    try:
        inner = model.unwrap_python_model()
    except (AttributeError, MlflowException):
        return None
    return inner if hasattr(inner, "read_csv") and hasattr(inner, "form") else None


def _json(model: PortableModel, data: Mapping[str, Any]) -> Mapping[str, np.ndarray] | None:
    forms = FORMS & set(data)
    if len(forms) != 1:
        return None
    form = forms.pop()
    try:
        frame = _frame(form, data[form], model)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise _refusal(f"{form} is not a table of records: {error}") from None
    return model.read(frame)


def _frame(form: str, given: Any, model: PortableModel) -> pd.DataFrame:
    """Return a table from one of the server's request formats, with the values as JSON parsed them."""
    if form == "dataframe_split":
        more = set(given) - {"columns", "data", "index"}
        if more:
            raise ValueError(f"unexpected {', '.join(map(repr, sorted(more)))}")
        names, data = given["columns"], given["data"]
        if not isinstance(data, list):
            raise TypeError("data is not a list")
        # pandas would fill a short row with nulls.
        for row, values in enumerate(data, 1):
            if not isinstance(values, list) or len(values) != len(names):
                raise ValueError(f"row {row} of {len(data)} is not a list of {len(names)} values")
        return pd.DataFrame(data, columns=names, dtype=object)
    if form == "inputs" and isinstance(given, dict):
        if all(isinstance(values, list) for values in given.values()):
            return pd.DataFrame(given, dtype=object)
        given = [given]
    if not isinstance(given, list) or not all(isinstance(record, dict) for record in given):
        raise TypeError("expected a list of objects")
    keys: list[Mapping[str, Any]] = []
    for row, record in enumerate(given, 1):
        with model.refusing(f"row {row} of {len(given)}: "):
            keys.append(model.reading.find_keys(list(record), model.form))
    columns = list(model.form.columns)
    rows = [[record[names[c]] for c in columns] for record, names in zip(given, keys, strict=True)]
    return pd.DataFrame(rows, columns=columns, dtype=object)


set_model(PortableModel())
