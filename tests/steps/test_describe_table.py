"""describe_table by its command: what it says is what load_data does."""

import pandas as pd
from click.testing import CliRunner

from steps.describe_table import describe_table
from steps.load_data import load_data

N = 60
TABLE = pd.DataFrame({
    "months": [row * 7 % 40 for row in range(N)],
    "plan": ["basic", "plus", "pro"] * (N // 3),
    "churned": ["no", "no", "yes", "no"] * (N // 4),
})  # fmt: skip


def asked(path):
    return ["--source", str(path), "--label", "churned"]


def test_rows_that_load_data_refuses_are_refused_here_too(store, tmp_path):
    lines = TABLE.to_csv(index=False).splitlines()
    lines[7] += ",more"
    (tmp_path / "ragged.csv").write_text("\n".join(lines))
    said = [
        CliRunner().invoke(step, asked(tmp_path / "ragged.csv")) for step in (load_data, describe_table)
    ]
    assert [one.exit_code for one in said] == [1, 1]
    assert said[0].stderr == said[1].stderr
    assert "line 8 has 4 fields, expected 3" in said[1].stderr


def test_columns_that_files_lack_and_rows_without_a_label_are_told(store, tmp_path):
    table = tmp_path / "table"
    table.mkdir()
    TABLE[:20].to_parquet(table / "a.parquet")
    TABLE[20:40].drop(columns="plan").to_parquet(table / "b.parquet")
    TABLE[40:].assign(churned=None).to_parquet(table / "c.parquet")
    said = CliRunner().invoke(describe_table, asked(table))
    assert said.exit_code == 0, said.output
    assert "; column 'plan' is not in 1 of 3 files, the first file:" in said.stdout
    assert "; 20 rows without a label were left out" in said.stdout
    shares = {line.split()[0]: line.split()[3] for line in said.stdout.splitlines()[2:5]}
    # Of the rows that have a label, as load_data counts them.
    assert shares == {"months": "0.0", "plan": "50.0", "churned": "0.0"}


def test_description_is_written_into_the_users_home_or_refused_in_a_line(store, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    TABLE.to_csv(tmp_path / "table.csv", index=False)
    asked_for = [*asked("~/table.csv"), "--output"]
    said = CliRunner().invoke(describe_table, [*asked_for, "~/mine.yaml"])
    assert said.exit_code == 0, said.output
    assert "label: churned" in (tmp_path / "mine.yaml").read_text()
    said = CliRunner().invoke(describe_table, [*asked_for, "~/table.csv/x/mine.yaml"])
    assert said.exit_code == 1
    assert said.stderr.endswith(
        f"Error: output '{tmp_path}/table.csv/x/mine.yaml' cannot be written: Not a directory\n"
    )
