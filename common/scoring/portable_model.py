"""The portable model as MLflow loads it: records in, scores out, and how its server reads a request.

MLflow keeps this file with the model and runs it to load one ("models from code"), in an environment
that has MLflow, ONNX Runtime, pandas and NumPy and nothing else of this project. So it imports no
other module of it: which rows it takes is said by the copy of `common/data/reading` beside the pipeline.
"""

import os
import sys
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

# It sends reports of its use to its maker unless told not to, and reads this on import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow.parquet as pq
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel
from mlflow.types import DataType

ARTIFACT = "pipeline"
PREDICTION, PROBABILITY = "prediction", "probability"

# The rules of reading a record, and of what form these are, beside the pipeline.
READING, FORM = "reading", "form"

SIGNATURE: dict[Any, str] = {
    DataType.long: "integer",
    DataType.double: "double",
    DataType.string: "string",
}
TYPES = {"tensor(int64)": "integer", "tensor(double)": "double", "tensor(string)": "string"}
# Of a table in a request.
FORMS = {"dataframe_split", "dataframe_records", "instances", "inputs"}
# Rows that go through the pipeline at once: the features of more do not stay in a processor's cache.
AT_ONCE = 500


def _refusal(message: object) -> MlflowException:
    return MlflowException(str(message), error_code=INVALID_PARAMETER_VALUE)


class Scorer:
    """An ONNX pipeline, loaded: raw records in, label and probability out.

    Attributes:
        columns: names of the columns of a record, and the type of each.
    """

    def __init__(self, model: bytes | str) -> None:
        """Load the pipeline from its bytes or its file."""
        options = onnxruntime.SessionOptions()
        # On one thread trees are added up in their order, as by the model they come from; a server
        # has its cores full with a process each.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options)
        self.columns = {i.name: TYPES[i.type] for i in self._session.get_inputs()}

    def score(self, values: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """Score columns that `read_rows` has read, good rows only."""
        feed = {name: values[name].reshape(-1, 1) for name in self.columns}
        rows = len(next(iter(feed.values())))
        found = {PREDICTION: np.empty(rows, object), PROBABILITY: np.empty(rows)}
        for start in range(0, rows, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            some = {name: column[part] for name, column in feed.items()}
            for name, scored in zip(found, self._session.run(list(found), some), strict=True):
                found[name][part] = scored
        return pd.DataFrame(found)


class PortableModel(PythonModel):
    """What MLflow loads and serves.

    Attributes:
        reading: the package of rules that was kept with the model.
        form: of the records that it takes.
        scorer: its pipeline.
    """

    def load_context(self, context: Any) -> None:
        """Load what was kept with the model."""
        read_requests_strictly()
        self.reading = _load_package(Path(context.artifacts[READING]))
        self.form = self.reading.Form.from_json(Path(context.artifacts[FORM]).read_text(encoding="utf-8"))
        self.scorer = Scorer(str(Path(context.artifacts[ARTIFACT])))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Score records: every one of them, or none.

        Returns:
            `prediction`, the label's text, and `probability` of the positive label, under the index
            of the records.

        Raises:
            MlflowException: a record cannot be scored (INVALID_PARAMETER_VALUE): the first is named.
        """
        return self.scorer.score(self.read(model_input)).set_index(model_input.index)

    def read(self, frame: pd.DataFrame) -> Mapping[str, np.ndarray]:
        """Return the columns of records, by the rules that were kept with the model.

        Raises:
            MlflowException: a record is bad (INVALID_PARAMETER_VALUE): the first is named.
        """
        try:
            return self.whole(self.reading.read_rows(frame, self.form.columns, self.form.optional))
        except self.reading.Unreadable as error:
            raise _refusal(error) from None

    def decode(self, content: bytes) -> str:
        """Return the text of a request.

        Raises:
            MlflowException: it is not UTF-8 (INVALID_PARAMETER_VALUE): the first such line is named.
        """
        try:
            return str(self.reading.decode(content, "utf-8"))
        except self.reading.Unreadable as error:
            raise _refusal(error) from None

    def read_csv(self, text: str) -> Mapping[str, np.ndarray]:
        """Return the columns of records of CSV, as `read` does."""
        try:
            return self.whole(self.reading.read_csv(text, self.form))
        except self.reading.Unreadable as error:
            raise _refusal(f"the CSV {error}") from None

    def read_parquet(self, content: bytes) -> Mapping[str, np.ndarray]:
        """Return the columns of records of Parquet, as `read` does."""
        # As they are there: an index of pandas is a column, and integers beside a null stay such.
        table = pq.read_table(BytesIO(content))
        try:
            places = self.reading.find_named(table.column_names, self.form)
        except self.reading.Unreadable as error:
            raise _refusal(f"the Parquet {error}") from None
        columns = {
            name: table.column(place).to_pandas(integer_object_nulls=True, date_as_object=True)
            for name, place in places.items()
        }
        return self.read(pd.DataFrame(columns))

    def whole(self, rows: Any) -> Mapping[str, np.ndarray]:
        """Return the values of rows that are all good."""
        said = self.reading.refusal(rows)
        if said is not None:
            raise _refusal(said)
        return rows.values


def _load_package(folder: Path) -> ModuleType:
    """Load a package from its folder, for one model alone: another may keep other rules."""
    name = f"kept_{uuid.uuid4().hex}"
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None, f"{folder} is no package"
    assert spec.loader is not None, f"{folder} is no package"
    package = module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package


# The model that the request under way is for.
ASKED: ContextVar[PortableModel | None] = ContextVar("asked", default=None)


def read_requests_strictly() -> None:
    """Have MLflow's server read a request by a model's own rules, where it would change what was sent.

    Before a model sees a request, the server casts it to the signature, and so makes 39 of 39.7, 1 of
    true, some integer of 1e300, "5" of 5 and a null of NA; what it cannot read at all it may call an
    error of its own. It has no public place for this; a process has it once, whatever models it loads,
    and only where it serves: to load the server takes longer than the model.
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
    """Wrap how the server reads a body: for a model of this kind its own way, unless that gives None."""

    def parse_body(*given: Any, **named: Any) -> Any:
        model = ASKED.get()
        body = given[0] if given else next(iter(named.values()))
        values = read(model, body) if model is not None else None
        return parse(*given, **named) if values is None else pd.DataFrame(values)

    return parse_body


def _refusing(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the answer to a request: what cannot be read is the client's error."""

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
    """Return the model of this kind that MLflow's own wraps, whichever copy of this file it is of."""
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
        frame = _frame(form, data[form], model.form.columns)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise _refusal(f"{form} is no table of records: {error}") from None
    return model.read(frame)


def _frame(form: str, given: Any, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a table in one of the server's forms, each value as JSON has it."""
    if form == "dataframe_split":
        more = set(given) - {"columns", "data", "index"}
        if more:
            raise ValueError(f"it has {', '.join(map(repr, sorted(more)))}")
        names, data = given["columns"], given["data"]
        if not isinstance(data, list):
            raise TypeError("its data are no list")
        # pandas would fill a short row with nulls.
        for row, values in enumerate(data, 1):
            if not isinstance(values, list) or len(values) != len(names):
                raise ValueError(f"row {row} of {len(data)} is no list of {len(names)} values")
        return pd.DataFrame(data, columns=names, dtype=object)
    if form == "inputs" and isinstance(given, dict):
        if all(isinstance(values, list) for values in given.values()):
            return pd.DataFrame(given, dtype=object)
        given = [given]
    if not isinstance(given, list) or not all(isinstance(record, dict) for record in given):
        raise TypeError("expected a list of objects")
    for row, record in enumerate(given, 1):
        missing = columns.keys() - record.keys()
        if missing:
            raise _refusal(f"row {row} of {len(given)}: column {min(missing)!r} is missing")
    return pd.DataFrame(given, columns=list(columns), dtype=object)


set_model(PortableModel())
