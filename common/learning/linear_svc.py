"""A linear support vector machine that outputs a probability, like every other learner."""

from typing import Any

from pyspark import SparkContext
from pyspark.ml.classification import LinearSVC, LogisticRegressionModel
from pyspark.sql import DataFrame


class ProbableLinearSVC(LinearSVC):
    """Spark's LinearSVC, with the fitted model converted to a logistic regression model.

    Its probability is the logistic function of the margin. It gives the same ranking as the margin and
    is above one half where the margin is positive, but it is not calibrated.
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
