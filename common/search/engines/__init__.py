"""Engines score candidates: `mllib` by Spark's own fits, `boosting` by XGBoost; `choice` takes one."""
