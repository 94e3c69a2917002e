"""The portable model as MLflow loads it: records in, scores out.

MLflow stores this file with the model and runs it to load the model ("models from code"), in an
environment with MLflow, ONNX Runtime, pandas and NumPy but without this project. So it imports no other
module of the project: the copy of `common/data/reading` beside the pipeline decides which rows are valid,
and that of `common/scoring/serving` how requests are read and scored.
"""

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel

ARTIFACT = "pipeline"
PREDICTION, PROBABILITY = "prediction", "probability"
# Artifacts beside the pipeline: the rules for reading records, their form, and how requests are read.
READING, FORM, SERVING = "reading", "form", "serving"


def _refusal(message: object) -> MlflowException:
    return MlflowException(str(message), error_code=INVALID_PARAMETER_VALUE)


class PortableModel(PythonModel):
    """The model that MLflow loads and serves.

    Attributes:
        reading: The package of reading rules stored with the model.
        form: The form of the records that it takes.
        scorer: The pipeline.
        counter: Counts what is scored; None unless somebody observes.
    """

    counter: Any = None

    def load_context(self, context: Any) -> None:
        """Load the artifacts stored with the model."""
        self.reading = _load_package(Path(context.artifacts[READING]))
        self.form = self.reading.Form.from_json(Path(context.artifacts[FORM]).read_text(encoding="utf-8"))
        self._serving = _load_package(Path(context.artifacts[SERVING]))
        import_module(f"{self._serving.__name__}.mlflow_server").read_requests_strictly()
        self.scorer = self._serving.Scorer(str(Path(context.artifacts[ARTIFACT])))
        self._direct = self._serving.Direct(self.reading, self.form)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Score records, all or none.

        Returns:
            The pipeline's outputs, with the index of the records.

        Raises:
            MlflowException: A record is bad (INVALID_PARAMETER_VALUE). The message names the first.
        """
        frame = self.with_nulls(model_input)
        return pd.DataFrame(self._run(self.read(frame))).set_index(model_input.index)

    def answer(self, body: bytes) -> bytes | None:
        """Answer a JSON request of a few good records, as MLflow's server would, without its frames.

        Returns:
            The body of the answer; None if that server has to answer.
        """
        values = self._direct.read(body)
        if values is None:
            return None
        try:
            return bytes(self._serving.answer_of(self._run(values)))
        except MlflowException:
            # There is one place that words refusals.
            return None

    def observe(self, known: Mapping[str, Any], tell: Callable[[Any], None]) -> None:
        """Count from now on what is scored.

        Args:
            known: The metadata in the model's MLmodel file.
            tell: Takes the `Batch` of each call: how many rows, unseen categories, predictions and
                missing values.
        """
        self.counter = self._serving.Counter(self.reading, self.form, known, tell)

    def _run(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = self.scorer.score(values)
        for name, scores in found.items():
            if scores.dtype != object and not np.isfinite(scores).all():
                row = np.flatnonzero(~np.isfinite(scores))[0]
                raise _refusal(f"row {row + 1} of {len(scores)}: the {name} is not a finite number")
        if self.counter is not None:
            self.counter.count(values, found[PREDICTION])
        return found

    def with_nulls(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the records with nulls for the smallest integer where an integer may be missing.

        So integers come out of reading, and from Spark; the rules refuse it in what others write.
        """
        with self.refusing():
            own, columns = frame.attrs.get(self.reading.OWN), frame.columns.tolist()
            keys = {} if own else self.reading.find_keys(columns, self.form)
        whole = frame.copy(deep=False)
        for name in self.form.optional:
            key = keys.get(name, name)
            if self.form.columns.get(name) != self.reading.INTEGER or frame[key].dtype != np.int64:
                continue
            none = frame[key] == self.reading.NO_INTEGER
            if none.any():
                whole[key] = frame[key].astype(object).mask(none, None)
        return whole

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
        # A service that is never asked for Parquet does without these 40 MB.
        import pyarrow.parquet as pq

        # Not by pandas, which would hide a stored index and turn integers beside a null into floats.
        table = pq.read_table(BytesIO(content))
        with self.refusing("the Parquet "):
            places = self.reading.find_named(table.column_names, self.form)
        columns = {
            name: table.column(place).to_pandas(integer_object_nulls=True, date_as_object=True)
            for name, place in places.items()
        }
        return self.read(self.reading.own_named(pd.DataFrame(columns)))

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


set_model(PortableModel())
