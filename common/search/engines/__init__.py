"""Engines that score candidates: `mllib` with Spark, `boosting` with XGBoost; `choice` selects one."""
