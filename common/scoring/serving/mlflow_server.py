"""MLflow's own server, taught to read a request by the rules of the model that it is for."""

import json
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

from .forms import FORMS, parse_json
from .tables import frame_of, own_named

# The portable model that the current request is for.
ASKED: ContextVar[Any] = ContextVar("asked", default=None)


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
    server._decode_json_input = _parsing(server._decode_json_input)
    server.invocations = _refusing(server.invocations)
    server.invocations.strict = True


def _strict(parse: Callable[..., Any], read: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Wrap the server's parser: a portable model reads the body itself, unless `read` returns None."""

    def parse_body(*given: Any, **named: Any) -> Any:
        model = ASKED.get()
        body = given[0] if given else next(iter(named.values()))
        if model is None or (values := read(model, body)) is None:
            return parse(*given, **named)
        return own_named(pd.DataFrame(values), model)

    return parse_body


def _parsing(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap the server's parser of JSON: for a portable model, no key occurs twice in an object."""

    def parse_body(body: Any) -> Any:
        if ASKED.get() is None or not isinstance(body, (str, bytes)):
            return decode(body)
        try:
            found = parse_json(body)
        except (json.JSONDecodeError, UnicodeDecodeError):
            return decode(body)
        # The server refuses what is no object, and does not parse what is one.
        return found if isinstance(found, dict) else decode(body)

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
                asked_of = _AsRead(model, portable) if portable else model
                return answer(data, content_type or "none", asked_of, *others)
            finally:
                ASKED.reset(asked)
        except MlflowException:
            raise
        except Exception as error:
            raise _refusal(f"the request cannot be read: {error}") from error

    return answer_request


class _AsRead:
    """A model that MLflow loaded, but for what comes between a frame and the portable model in it.

    A request has been read by the model's own rules. MLflow's would look at each value once more.
    """

    def __init__(self, model: Any, portable: Any) -> None:
        self._model = model
        self._portable = portable

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, data: Any, params: Any = None) -> Any:
        if isinstance(data, pd.DataFrame):
            return self._portable.predict(None, data, params)
        return self._model.predict(data, params=params)


def _portable(model: Any) -> Any:
    """Return the portable model that an MLflow model wraps, from whichever copy of its file it comes."""
    try:
        inner = model.unwrap_python_model()
    except (AttributeError, MlflowException):
        return None
    return inner if hasattr(inner, "read_csv") and hasattr(inner, "form") else None


def _json(model: Any, data: Mapping[str, Any]) -> Mapping[str, np.ndarray] | None:
    forms = set(data) & FORMS
    if len(forms) != 1:
        return None
    form = forms.pop()
    try:
        frame = frame_of(form, data[form], model)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise _refusal(f"{form} is not a table of records: {error}") from None
    values: Mapping[str, np.ndarray] = model.read(frame)
    return values


def _refusal(message: object) -> MlflowException:
    return MlflowException(str(message), error_code=INVALID_PARAMETER_VALUE)
