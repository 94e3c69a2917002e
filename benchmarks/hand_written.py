"""The service that one would write by hand for one pipeline: FastAPI, ONNX Runtime, and no checks.

uvicorn benchmarks.hand_written:app, with the path of the pipeline in PIPELINE
"""

import os
from typing import Any

import numpy as np
import onnxruntime
from fastapi import FastAPI, Request

KINDS = {"tensor(int64)": np.int64, "tensor(double)": np.float64, "tensor(string)": object}

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["PIPELINE"], options)
outputs = [output.name for output in session.get_outputs()]
columns = {one.name: (one.name.removeprefix("column "), KINDS[one.type]) for one in session.get_inputs()}
app = FastAPI()


@app.get("/ping")
async def ping() -> None:
    """Say that the pipeline is loaded."""


@app.post("/invocations")
async def invocations(request: Request) -> dict[str, Any]:
    """Score the records of a request."""
    records = (await request.json())["dataframe_records"]
    feed = {
        name: np.array([[record[column]] for record in records], kind)
        for name, (column, kind) in columns.items()
    }
    found = [values.tolist() for values in session.run(outputs, feed)]
    return {"predictions": [dict(zip(outputs, row, strict=True)) for row in zip(*found, strict=True)]}
