"""The JSON formats in which MLflow's server accepts a table."""

FORMS = {
    "dataframe_split": lambda rows: {
        "columns": list(rows[0]),
        "data": [list(row.values()) for row in rows],
    },
    "dataframe_records": lambda rows: rows,
    "instances": lambda rows: rows,
    "inputs": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
}
