"""The figures of a service as Prometheus reads them: with several workers, those of all of them."""

import json

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.service.served import DEADLINE, OURS


def figures(service):
    """Return the value of each of the service's own figures, by name and labels."""
    answer = service.session.get(f"{service.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.startswith("model_") and not sample.name.endswith("_created")
    }


def risen(before, after):
    """Return what has risen between two readings; buckets, and columns that are not asked for, aside."""
    rises = {name: value - before.get(name, 0) for name, value in after.items()}
    aside = ("model_request_seconds_bucket", "model_request_seconds_sum")
    return {
        name: rise
        for name, rise in rises.items()
        if rise and name[0] not in aside
        if name[0] != "model_unseen_categories_total" or name[1] in ("sex", "race")
    }


def ask_everything(service, champion):
    """Ask in each form, with values that training never saw, and what is refused; return the labels."""
    rows = champion.rows.to_dict("records")
    strange = [{**rows[0], "sex": "x", "race": None}, {**rows[1], "sex": "y"}, rows[2]]
    bodies = [
        (json.dumps({"dataframe_records": strange}), "application/json"),
        (champion.rows.iloc[:5].assign(sex="z").to_csv(index=False), "text/csv"),
        (champion.rows.to_parquet(), "application/vnd.apache.parquet"),
    ]
    answers = [service.post(*body) for body in bodies]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert service.post(json.dumps({"inputs": [{**rows[0], "age": "x"}]})).status_code == 400
    assert service.post("{").status_code == 400
    assert service.post("{}", "text/plain").status_code == 415
    return [row["prediction"] for answer in answers for row in answer.json()["predictions"]]


def expected_rises(labels, times=1):
    """Return by how much the figures rise when everything is asked so many times."""
    rises = {
        ("model_requests_total", "200", "direct"): 1,
        ("model_requests_total", "200", "mlflow"): 2,
        ("model_requests_total", "400", "mlflow"): 2,
        ("model_requests_total", "415", "mlflow"): 1,
        ("model_errors_total", "INVALID_PARAMETER_VALUE"): 1,
        ("model_errors_total", "BAD_REQUEST"): 1,
        ("model_errors_total", "415"): 1,
        ("model_request_seconds_count",): 6,
        ("model_rows_total",): 58,
        ("model_unseen_categories_total", "sex"): 7,
        ("model_unseen_categories_total", "race"): 1,
    }
    rises |= {("model_predictions_total", label): labels.count(label) for label in set(labels)}
    return {name: times * rise for name, rise in rises.items()}


def test_every_request_and_record_is_counted(service, champion):
    before = figures(service)
    labels = ask_everything(service, champion)
    assert set(labels) == {"<=50K", ">50K"}
    assert risen(before, figures(service)) == expected_rises(labels)


def test_every_column_and_label_is_told_before_it_occurs(service, champion):
    told = {name[1] for name in figures(service) if name[0] == "model_unseen_categories_total"}
    assert told == {"workclass", "education", "marital-status", "occupation", "race", "sex"} | {
        "relationship",
        "native-country",
        "education-num",
    }
    labels = {name[1] for name in figures(service) if name[0] == "model_predictions_total"}
    assert labels == {"<=50K", ">50K"}


@pytest.mark.slow
def test_figures_of_several_workers_are_added_and_outlive_a_worker(start, champion, tmp_path):
    service = start(*OURS, "--workers", "2", TMPDIR=str(tmp_path))
    labels = ask_everything(service, champion)
    killed = service.workers()[0]
    for _ in range(9):
        ask_everything(service, champion)
    killed.kill()
    psutil.wait_procs([killed], DEADLINE)
    while len(service.workers()) < 2:
        service.session.get(f"{service.url}/ping")
    assert risen({}, figures(service)) == expected_rises(labels, 10)
    service.stop()
    # The folder in which they share them.
    assert not list(tmp_path.iterdir())
