"""Pictures of MLflow's own UI, over the store, driven by Playwright in the system's Chromium."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import requests
from mlflow import MlflowClient
from playwright.sync_api import Page, sync_playwright
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from common.store import tracking
from common.store.experiment import find_experiment

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
# Of the navigation, which every page has at its left.
SIDE = 198
# Milliseconds; a busy machine takes its time.
PATIENCE = 120_000
# A score that the walkthrough calls good.
GOOD = 0.85
PARAMETERS = [
    *(f"params.`{name}`" for name in ("maxBins", "maxDepth", "maxIter", "stepSize")),
]


def take(chromium: str, search: str, metric: str) -> dict[str, bytes]:
    """Return pictures of the UI by file name.

    Args:
        chromium: Path of the browser.
        search: Run id of the search whose candidates are shown.
        metric: The metric that ranks them.
    """
    of_search = f"tags.`{tracking.SEARCH}` = '{search}'"
    mean = f"val_{metric}"
    good = f"metrics.{mean} > {GOOD} and {of_search}"
    with _ui() as address, _page(chromium, mean) as page:
        return {
            "ui_filter.png": _table(page, address, mean, good, len(_ids(good, mean))),
            "ui_parallel.png": _parallel(page, address, mean, _ids(of_search, mean)),
            "ui_run.png": _run(page, address, search),
        }


@contextmanager
def _ui() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([ROOT / "mlflow.sh", str(port)], stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=Retry(12, backoff_factor=0.5)))
            session.get(f"{address}/health", timeout=60).raise_for_status()
        yield address
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _page(chromium: str, mean: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(locale="en-GB")
        context.set_default_timeout(PATIENCE)
        # The state that the UI stores when a user closes its assistant and selects columns.
        columns = [f"metrics.`{name}`" for name in (mean, f"{mean}_std", "val_roc_auc")] + PARAMETERS
        table = {"selectedColumns": columns, "columnWidths": {"attributes.`Run Name`": 330}}
        kept = {
            "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
            "mlflow.assistant.panelOpen_v1": False,
            f'MLflowLocalStorage-1.1-ExperimentPage-["{find_experiment()}"]-ReactComponentState': table,
        }
        for key, value in kept.items():
            context.add_init_script(f"localStorage.setItem({json.dumps(key)}, '{json.dumps(value)}')")
        yield context.new_page()
        browser.close()


def _ids(query: str, mean: str) -> list[str]:
    runs = MlflowClient().search_runs([find_experiment()], query, order_by=[f"metrics.{mean} DESC"])
    return [run.info.run_id for run in runs]


def _table(page: Page, address: str, mean: str, query: str, count: int) -> bytes:
    page.set_viewport_size({"width": SIDE + 1340, "height": 540})
    order = f"orderByKey={quote(f'metrics.`{mean}`')}&orderByAsc=false"
    page.goto(f"{address}/#/experiments/{find_experiment()}/runs?searchFilter={quote(query)}&{order}")
    page.get_by_text(f"{count} matching runs").wait_for()
    page.get_by_role("columnheader", name="stepSize").first.wait_for()
    return _shot(page)


def _parallel(page: Page, address: str, mean: str, runs: list[str]) -> bytes:
    page.set_viewport_size({"width": SIDE + 1200, "height": 600})
    page.goto(
        f"{address}/#/compare-runs?runs={quote(json.dumps(runs))}&experiments=[%22{find_experiment()}%22]"
    )
    plot = page.locator(".js-plotly-plot").first
    plot.wait_for()
    # By default the plot has three parameters and the first metric.
    for field, names in ((0, ["stepSize"]), (1, ["fit_seconds", mean])):
        box = page.get_by_role("combobox").nth(field)
        box.click()
        for name in names:
            # A long list renders only the visible items; typing finds the others.
            box.fill(name)
            page.locator(".du-bois-light-select-item-option").get_by_text(name, exact=True).click()
        page.keyboard.press("Escape")
        plot.get_by_text(names[-1], exact=True).first.wait_for()
    page.get_by_role("heading", name="Comparing").click()
    return _shot(page)


def _run(page: Page, address: str, run: str) -> bytes:
    page.set_viewport_size({"width": SIDE + 1200, "height": 800})
    page.goto(f"{address}/#/experiments/{find_experiment()}/runs/{run}")
    page.get_by_text("Show more", exact=True).first.click()
    page.get_by_text("variance explained").first.wait_for()
    return _shot(page)


def _shot(page: Page) -> bytes:
    size = page.viewport_size
    assert size
    clip = {"x": SIDE, "y": 0, "width": size["width"] - SIDE, "height": size["height"]}
    return page.screenshot(animations="disabled", clip=clip)
