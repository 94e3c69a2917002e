"""eda by its command, where the package that makes the profile fails."""

import re

from common.data.profile import NoProfile
from common.report.collect import collect
from common.store import artifacts, tracking
from common.store.step_run import PROFILED
from common.store.workflow_runs import find_workflow
from steps import eda as module
from steps.eda import eda
from steps.load_data import load_data
from tests.stores import step_caller


def test_profile_that_cannot_be_made_stops_nothing_and_is_said(store, slice_file, monkeypatch, tmp_path):
    def fail(*given):
        raise NoProfile("the package fails")

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "write_profile", fail)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "overview.html").write_text("that of another table")
    call = step_caller(store)
    _, loaded = call(load_data, source=slice_file)
    said, uri = call(eda, data=f"{loaded}/data")
    assert "15 columns described" in said
    assert "the profile is in" not in said
    assert artifacts.read_text(f"{uri}/overview.html") == "No profile of adult: the package fails\n"
    assert "No profile" in (tmp_path / "reports" / "overview.html").read_text()
    assert tracking.get_run(uri).data.tags["no_profile"] == "the package fails"
    assert "profile" not in collect(find_workflow("auto", store)).describe.text

    (tmp_path / "file").touch()
    monkeypatch.setattr(module, "ROOT", tmp_path / "file")
    monkeypatch.setattr(module, "write_profile", lambda frame, path, *rest: path.write_text("page"))
    said, _ = call(eda, data=f"{loaded}/data")
    assert re.search(r"the profile is in runs:/\w+/overview.html", said)


def test_profile_of_a_part_is_said_to_be_one(store, slice_file, monkeypatch, tmp_path):
    """Its page has the counts of the rows that it is of, and said nowhere that these are a sample."""
    titles = []

    def write(frame, path, title, *rest):
        titles.append(title)
        path.write_text("page")

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "write_profile", write)
    call = step_caller(store)
    _, loaded = call(load_data, source=slice_file)
    _, whole = call(eda, data=f"{loaded}/data")
    assert tracking.get_run(whole).data.tags[PROFILED] == "a full profile"
    asked = {"profile": "minimal", "profile-rows": 100, "profile-columns": 9}
    said, uri = call(eda, data=f"{loaded}/data", **asked)
    part = "100 of 1,200 rows and 9 of 15 columns"
    assert titles == ["adult: overview", f"adult: overview of {part}"]
    assert "(100 of 1,200 rows: profile_rows=; 9 of 15 columns: profile_columns=)" in said
    assert tracking.get_run(uri).data.tags[PROFILED] == f"a minimal profile of {part}"
