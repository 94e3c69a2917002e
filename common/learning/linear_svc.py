"""A linear support vector machine that gives a probability, as every other learner does."""

from typing import Any

from pyspark import SparkContext
from pyspark.ml.classification import LinearSVC, LogisticRegressionModel
from pyspark.sql import DataFrame


class ProbableLinearSVC(LinearSVC):
    """Spark's LinearSVC, whose model is read as a logistic one.

    Its probability is the logistic function of the margin: it ranks as the margin does and is above
    one half where the margin is above zero, but it is not calibrated.
    """

    def _fit(self, dataset: DataFrame) -> LogisticRegressionModel:  # type: ignore[override]
        machine: Any = super()._fit(dataset)
        jvm: Any = SparkContext._jvm
        java = jvm.org.apache.spark.ml.classification.LogisticRegressionModel(
            machine.uid, machine._java_obj.coefficients(), machine.intercept
        )
        model = LogisticRegressionModel(java)
        columns = {name: self.getOrDefault(name) for name in ("featuresCol", "labelCol")}
        return model._set(**columns)
