"""How a served model reads and scores requests; a copy is stored with every portable model.

Like the rules of `reading` beside it, which it applies, it imports nothing of the project: what it needs
of the model is handed to it. `mlflow_server` and its `tables` are not imported with it: MLflow and pandas
take longer to import than all of this, and Spark's workers do without.
"""

from .counted import Batch, Counter
from .direct import Direct, answer_of
from .scorer import Scorer

__all__ = ["Batch", "Counter", "Direct", "Scorer", "answer_of"]
