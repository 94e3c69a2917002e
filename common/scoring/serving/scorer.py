"""A loaded ONNX pipeline: columns of values in, columns of scores out."""

import os
from collections.abc import Mapping

# ONNX Runtime sends usage data to its vendor by default, and reads this variable on import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

# Before a column's name, that of its input in the pipeline, which no output and no value of a graph has.
INPUT = "column "
# What a pipeline takes and gives, as NumPy's types.
KINDS = {"tensor(int64)": np.int64, "tensor(double)": np.float64, "tensor(string)": object}
# Rows per call of the pipeline: the features of more rows do not fit in a processor's cache.
AT_ONCE = 500


class Scorer:
    """A loaded ONNX pipeline.

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

    def score(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Score the columns of valid records.

        Args:
            values: An array of shape (rows,) for each column, as `read_rows` returns them.

        Returns:
            An array of shape (rows,) for each of the pipeline's outputs: `prediction`, and for labels
            their probabilities.
        """
        feed = {name: plain(values[name]).reshape(-1, 1) for name in self.columns}
        rows = len(next(iter(feed.values())))
        if 0 < rows <= AT_ONCE:
            every = self._session.run(None, {INPUT + name: column for name, column in feed.items()})
            return dict(zip(self.outputs, every, strict=True))
        found: dict[str, np.ndarray] = {name: np.empty(rows, kind) for name, kind in self.outputs.items()}
        for start in range(0, rows, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            some = {INPUT + name: column[part] for name, column in feed.items()}
            for name, scored in zip(found, self._session.run(list(found), some), strict=True):
                found[name][part] = scored
        return found


def plain(column: np.ndarray) -> np.ndarray:
    """Return dates as microseconds since 1970, the smallest integer where one is missing."""
    return column.astype("datetime64[us]").view(np.int64) if column.dtype.kind == "M" else column
