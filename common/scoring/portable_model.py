"""The portable model as MLflow loads it: which rows it takes, and their scores.

MLflow keeps this file with the model and runs it to load one ("models from code"), in an environment
that has MLflow, ONNX Runtime, pandas and NumPy and nothing else of this project. So it imports no
other module of it.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

# It sends reports of its use to its maker unless told not to, and reads this on import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel
from mlflow.types import DataType, Schema

ARTIFACT = "pipeline"
PREDICTION, PROBABILITY = "prediction", "probability"

INTEGER, DOUBLE, TEXT = "integer", "double", "string"
SIGNATURE: dict[Any, str] = {DataType.long: INTEGER, DataType.double: DOUBLE, DataType.string: TEXT}
TYPES = {"tensor(int64)": INTEGER, "tensor(double)": DOUBLE, "tensor(string)": TEXT}
# Of a table in a request.
FORMS = {"dataframe_split", "dataframe_records", "instances", "inputs"}
LEAST, MOST = -(2**63), 2**63 - 1
# ONNX has no null. No category is empty, so an empty text is scored as one that was never seen, which
# is what the Spark pipeline makes of a null.
NO_TEXT = ""
SHOWN = 60
# Rows that go through the pipeline at once: the features of more do not stay in a processor's cache.
AT_ONCE = 500


class Rows(NamedTuple):
    """Rows as they were read.

    Attributes:
        values: of each column, in its own type; where a row is not good, anything of that type.
        good: which rows can be scored.
        reasons: what is wrong with each row, None where nothing is.
    """

    values: dict[str, np.ndarray]
    good: np.ndarray
    reasons: np.ndarray


def read_rows(frame: pd.DataFrame, columns: Mapping[str, str]) -> Rows:
    """Read records strictly: a value is taken as it is, or its row is not good.

    An integer is a number that is whole (39 or 39.0), a double one that is finite; True is neither,
    nor is "39", nor a null. A text has no spaces around it, or is a null. Any text and any
    number of the right type is taken, seen in training or not. Columns that are not asked for are
    ignored.

    Args:
        frame: records.
        columns: names of the columns that a record must have, and the type of each: INTEGER, DOUBLE
            or TEXT.

    Raises:
        MlflowException: a column is missing, or is there twice (INVALID_PARAMETER_VALUE).
    """
    names = frame.columns.tolist()
    for name in columns:
        found = names.count(name)
        if found != 1:
            raise _refusal(f"column {name!r} is " + ("missing" if not found else f"there {found} times"))
    values = {}
    reasons: np.ndarray = np.full(len(frame), None, dtype=object)
    for name, kind in columns.items():
        values[name], found_wrong = READERS[kind](frame[name])
        for row, what in found_wrong.items():
            reasons[row] = reasons[row] or f"column {name!r} {what}"
    return Rows(values, pd.isna(reasons), reasons)


def _read_integers(column: pd.Series) -> tuple[np.ndarray, dict[int, str]]:
    if column.dtype.kind == "i" and isinstance(column.dtype, np.dtype):
        return column.to_numpy(np.int64), {}
    return _read_each(column, _whole, "a whole number", np.int64)


def _read_doubles(column: pd.Series) -> tuple[np.ndarray, dict[int, str]]:
    if column.dtype.kind in "if" and isinstance(column.dtype, np.dtype):
        values = column.to_numpy(np.float64)
        if np.isfinite(values).all():
            return values, {}
    return _read_each(column, _finite, "a finite number", np.float64)


def _read_texts(column: pd.Series) -> tuple[np.ndarray, dict[int, str]]:
    values = column.to_numpy(object)
    try:
        # Few texts are different: they are looked at, not the rows.
        if all(_text(value) is not None for value in set(values.tolist())):
            return values, {}
    except TypeError:
        pass  # a list or an object is no member of a set, and no text
    return _read_each(column, _text, "a text without spaces around it", object, null=NO_TEXT)


def _read_each(
    column: pd.Series, reader: Callable[[Any], Any], expected: str, dtype: type, null: Any = None
) -> tuple[np.ndarray, dict[int, str]]:
    """Read value by value: `reader` gives one back in its type, or None where it is of another."""
    values: np.ndarray = np.zeros(len(column), dtype=dtype)
    wrong = {}
    for row, value in enumerate(column.to_numpy(object)):
        if pd.api.types.is_scalar(value) and pd.isna(value):
            if null is None:
                wrong[row] = f"is null, expected {expected}"
            else:
                values[row] = null
            continue
        read = reader(value)
        if read is None:
            wrong[row] = f"is {_shown(value)}, expected {expected}"
        else:
            values[row] = read
    return values, wrong


def _whole(value: Any) -> int | None:
    number = _finite(value)
    if number is None or (isinstance(value, (float, np.floating)) and not float(value).is_integer()):
        return None
    return int(value) if LEAST <= int(value) <= MOST else None


def _finite(value: Any) -> float | None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    try:
        return float(value) if np.isfinite(float(value)) else None
    except (OverflowError, TypeError):
        return None


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or value != value.strip(" "):
        return None
    # Half a surrogate pair is text to JSON, but to nothing else.
    return value if value.isascii() or value == value.encode(errors="replace").decode() else None


READERS = {INTEGER: _read_integers, DOUBLE: _read_doubles, TEXT: _read_texts}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def refuse_bad(rows: Rows) -> None:
    """Refuse rows that cannot all be scored.

    Raises:
        MlflowException: names the first that cannot, and why (INVALID_PARAMETER_VALUE).
    """
    if rows.good.all():
        return
    bad = np.flatnonzero(~rows.good)
    more = f" ({len(bad)} rows are wrong in all)" if len(bad) > 1 else ""
    raise _refusal(f"row {bad[0] + 1} of {len(rows.good)}: {rows.reasons[bad[0]]}{more}")


def _refusal(message: str) -> MlflowException:
    return MlflowException(message, error_code=INVALID_PARAMETER_VALUE)


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
    """What MLflow loads and serves."""

    def load_context(self, context: Any) -> None:
        """Load the pipeline that was kept with the model."""
        read_requests_strictly()
        self.scorer = Scorer(str(Path(context.artifacts[ARTIFACT])))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Score records: every one of them, or none.

        Returns:
            `prediction`, the label's text, and `probability` of the positive label, under the index
            of the records.

        Raises:
            MlflowException: a record cannot be scored (INVALID_PARAMETER_VALUE): the first is named.
        """
        rows = read_rows(model_input, self.scorer.columns)
        refuse_bad(rows)
        return self.scorer.score(rows.values).set_index(model_input.index)


def read_requests_strictly() -> None:
    """Have MLflow's server read a request by these rules, where it would change what was sent.

    Before a model sees a request, the server casts it to the signature, and so makes 39 of 39.7, 1 of
    true, some integer of 1e300 and "5" of 5; what it cannot read at all it may call an error of its
    own. It has no public place for this; a process has it once, whatever models it loads, and only where
    it serves: to load the server takes longer than the model.
    """
    server: Any = sys.modules.get("mlflow.pyfunc.scoring_server")
    if server is None or hasattr(server.infer_and_parse_data, "strict"):
        return
    server.infer_and_parse_data = _strict_json(server.infer_and_parse_data)
    server.parse_csv_input = _strict_csv(server.parse_csv_input)
    server.invocations = _refusing(server.invocations)
    server.infer_and_parse_data.strict = True


def _strict_json(parse: Callable[..., Any]) -> Callable[..., Any]:
    def parse_json(data: Mapping[str, Any], schema: Schema | None = None) -> Any:
        columns, forms = _columns(schema), FORMS & set(data)
        if columns is None or len(forms) != 1:
            return parse(data, schema)
        form = forms.pop()
        try:
            frame = _frame(form, data[form], columns)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise _refusal(f"{form} is no table of records: {error}") from None
        return _read_whole(frame, columns)

    return parse_json


def _strict_csv(parse: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    def parse_csv(csv_input: Any, schema: Schema | None = None) -> pd.DataFrame:
        columns = _columns(schema)
        if columns is None:
            return parse(csv_input=csv_input, schema=schema)
        try:
            frame = pd.read_csv(csv_input, dtype=object)
        except ValueError as error:
            raise _refusal(f"the CSV cannot be read: {error}") from None
        for name in frame.columns.intersection([n for n, kind in columns.items() if kind != TEXT]):
            numbers = pd.to_numeric(frame[name], errors="coerce")
            # What is no number stays as it is, to be shown.
            frame[name] = numbers.where(numbers.notna(), frame[name])
        return _read_whole(frame, columns)

    return parse_csv


def _refusing(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the answer to a request: what cannot be read is the client's error."""

    def answer_request(data: Any, content_type: str | None, *others: Any) -> Any:
        try:
            return answer(data, content_type or "none", *others)
        except MlflowException:
            raise
        except Exception as error:
            raise _refusal(f"the request cannot be read: {error}") from error

    return answer_request


def _columns(schema: Schema | None) -> dict[str, str] | None:
    """Return the columns of a signature that these rules are for; None of any other."""
    if schema is None or not schema.has_input_names():
        return None
    kinds = {name: SIGNATURE.get(spec.type) for name, spec in schema.input_dict().items()}
    known = {name: kind for name, kind in kinds.items() if kind}
    return known if len(known) == len(kinds) else None


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


def _read_whole(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    rows = read_rows(frame, columns)
    refuse_bad(rows)
    return pd.DataFrame(rows.values, index=frame.index)


set_model(PortableModel())
