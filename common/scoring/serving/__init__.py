"""How a served model reads requests; a copy is stored with every portable model, beside its rules.

Like the rules of `reading`, which it applies, it imports nothing of the project: what it needs of the
model is handed to it.
"""

from .counted import Batch, Counter
from .direct import Direct, answer_of
from .mlflow_server import read_requests_strictly

__all__ = ["Batch", "Counter", "Direct", "answer_of", "read_requests_strictly"]
