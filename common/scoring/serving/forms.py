"""The forms in which MLflow's server takes a table in a JSON request."""

SPLIT, RECORDS, INSTANCES, INPUTS = "dataframe_split", "dataframe_records", "instances", "inputs"
FORMS = frozenset((SPLIT, RECORDS, INSTANCES, INPUTS))
# What a table by SPLIT may have.
PARTS = frozenset(("columns", "data", "index"))
