"""A small champion, registered in its own store, and served once for all tests over HTTP."""

from types import SimpleNamespace

import mlflow
import pytest

from common.scoring.export import export, vocabulary
from common.store.portable_models import log_portable_model
from tests.service.served import OURS, Service


@pytest.fixture(scope="session")
def champion(fit_pipeline, people, spec, sample_rows, empty_store, tmp_path_factory):
    """The champion: its `store`, the loaded `model`, `rows` to score, and their `form`."""
    folder = tmp_path_factory.mktemp("champion")
    uri = f"sqlite:///{folder}/mlflow.db"
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    pipeline = fit_pipeline("gbt", "onehot")
    rows = sample_rows[[column.name for column in spec.inputs]].iloc[2000:2050].reset_index(drop=True)
    before = mlflow.get_tracking_uri()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        mlflow.set_tracking_uri(uri)
        experiment = mlflow.create_experiment("service", (folder / "runs").as_uri())
        with mlflow.start_run(experiment_id=experiment) as run:
            written, _ = export(pipeline, spec, people)
            known = vocabulary(pipeline, spec)
            log_portable_model(written, "portable-model", spec, known, rows.head(2), "# A model\n")
        version = mlflow.register_model(f"runs:/{run.info.run_id}/portable-model", "income")
        mlflow.MlflowClient().set_registered_model_alias("income", "champion", version.version)
        model = mlflow.pyfunc.load_model("models:/income@champion")
        mlflow.set_tracking_uri(before)
    return SimpleNamespace(store=uri, model=model, rows=rows, form=spec.input_form)


@pytest.fixture(scope="session")
def start(champion, tmp_path_factory):
    """Start a command that serves the champion; processes still running at the end are stopped."""
    started = []

    def start(*command, **environment):
        log = tmp_path_factory.mktemp("service") / "log"
        started.append(Service(command, champion.store, log, **environment))
        return started[-1]

    yield start
    for service in started:
        if service.process.poll() is None:
            service.stop()


@pytest.fixture(scope="session")
def service(start):
    # Some of MLflow's messages list a set, in an order that depends on the seed.
    return start(*OURS, PYTHONHASHSEED="0")
