"""The service of a model: what `make serve` and the image run around MLflow's own server.

It imports nothing of the project, because the image holds this package alone beside the model.
"""
