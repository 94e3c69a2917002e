"""Soak test of the champion's service: sustained load, then a huge body and a thousand clients.

python -m benchmarks.service_soak [--seconds 600]
"""

import json
import tempfile
from pathlib import Path

import click
import requests

from common.store.artifacts import model_folder

from .report import report
from .served import Service, ask, figures, served
from .watch import watching

CLIENTS = 8
BODY_MB = 100


@click.command()
@click.option("--model", default="models:/income@champion", help="URI of the model.")
@click.option("--seconds", default=600, type=click.IntRange(10), help="Duration of the load.")
def service_soak(model: str, seconds: int) -> None:
    """Load a service with one worker and watch its memory, then add many clients and a large body."""
    folder = model_folder(model)
    example = json.loads((folder / "input_example.json").read_text())
    columns, record = example["columns"], example["data"][0]
    with tempfile.TemporaryDirectory() as temporary, served(str(folder)) as service:
        body = Path(temporary, "record.json")
        body.write_text(json.dumps({"dataframe_split": {"columns": columns, "data": [record]}}))
        ask(service, body, "-c", str(CLIENTS), "-n", "2000")
        seen: list[float] = []
        with watching(lambda: seen.append(service.memory()), every=seconds / 60):
            row = figures(ask(service, body, "-c", str(CLIENTS), "-z", f"{seconds}s"))
        rows = [{"load": f"{CLIENTS} clients, {seconds} s", **row}]
        many = ask(service, body, "-c", "1000", "-n", "10000")
        rows.append({"load": "1,000 clients at once, 10,000 requests", **figures(many)})
        size, answer = _large(service, columns, record)
        alive = requests.get(f"{service.url}/ping").status_code
    tenth = max(1, len(seen) // 10)
    facts = {
        "resident memory in MB, mean over the first and the last tenth of the time": [
            round(sum(part) / len(part), 1) for part in (seen[:tenth], seen[-tenth:])
        ],
        f"a body of {BODY_MB} MB": f"{size:,} records: HTTP {answer.status_code} "
        f"in {answer.elapsed.total_seconds():.0f} s",
        "then /ping": f"HTTP {alive}",
    }
    report("service_soak", rows, facts)


def _large(service: Service, columns: list[str], record: list[object]) -> tuple[int, requests.Response]:
    line = json.dumps(record)
    records = BODY_MB * 1_000_000 // (len(line) + 1)
    head = json.dumps({"dataframe_split": {"columns": columns, "data": []}})[:-3]
    text = head + ",".join([line] * records) + "]}}"
    headers = {"Content-Type": "application/json"}
    return records, requests.post(f"{service.url}/invocations", text, headers=headers)


if __name__ == "__main__":
    service_soak()
