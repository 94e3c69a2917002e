"""The boosting engine: Spark's rule for boosted trees, fitted by XGBoost in Spark tasks."""
