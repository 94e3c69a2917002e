import hashlib
import os
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common.data.fetch import content_digest, locate
from common.errors import UserError

CONTENT = b"39, State-gov\n"


class _Handler(SimpleHTTPRequestHandler):
    """Sends entity tags, as most servers do, unless they are switched off."""

    def log_message(self, *_):
        self.server.requests += 1

    @property
    def tag(self):
        file = Path(self.translate_path(self.path))
        return f'"{hashlib.sha256(file.read_bytes()).hexdigest()}"' if file.is_file() else None

    def do_GET(self):
        if self.server.tags and self.tag and self.headers.get("If-None-Match") == self.tag:
            self.server.not_modified += 1
            self.send_response(304)
            SimpleHTTPRequestHandler.end_headers(self)
        else:
            super().do_GET()

    def end_headers(self):
        if self.server.tags and self.tag:
            self.send_header("ETag", self.tag)
        super().end_headers()


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "adult.data").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    server.requests, server.not_modified, server.tags = 0, 0, True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(server, spec, tmp_path, monkeypatch):
    """The adult data set with its home on loopback, and an empty cache."""
    monkeypatch.setenv("INCOME_CACHE", str(tmp_path / "cache"))
    url = f"http://127.0.0.1:{server.server_port}/adult.data"
    return replace(spec, home=url, sha256=hashlib.sha256(CONTENT).hexdigest())


def cached(tmp_path):
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_file_is_fetched_from_home_once(home, server, tmp_path):
    first, second = locate(home, "auto"), locate(home, "uci")
    assert first == second
    assert first.kind == "uci"
    assert [path.read_bytes() for path in cached(tmp_path)] == [CONTENT]
    assert server.requests == 1


def test_damaged_cache_is_fetched_again(home, tmp_path):
    locate(home, "uci")
    cached(tmp_path)[0].write_bytes(b"damaged")
    locate(home, "uci")
    assert [path.read_bytes() for path in cached(tmp_path)] == [CONTENT]


@pytest.mark.parametrize("source", ["auto", "uci"])
def test_file_with_another_checksum_is_refused_and_not_kept(home, tmp_path, source):
    with pytest.raises(UserError, match="checksum of .* is .*, but dataset 'adult' expects 000"):
        locate(replace(home, sha256="0" * 64), source)
    assert cached(tmp_path) == []


def test_auto_takes_the_sample_aloud_when_home_is_not_reached(home, server, caplog):
    gone = replace(home, home=home.home.replace("adult.data", "gone.data"))
    found = locate(gone, "auto")
    assert found.kind == "sample"
    assert "SYNTHETIC SAMPLE" in caplog.text
    assert locate(gone, "sample") == found


def test_uci_fails_when_home_is_not_reached(home):
    gone = replace(home, home=home.home.replace("adult.data", "gone.data"))
    with pytest.raises(UserError, match=r"gone.data cannot be reached \(HTTPError\)"):
        locate(gone, "uci")


@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize("changed_at", [1e9, 2e9])
def test_url_of_a_file_is_fetched_again_when_it_changed(home, server, tmp_path, tags, changed_at):
    """Also if the new file is older than the cached one."""
    server.tags = tags
    found = locate(home, home.home)
    assert (found.kind, found.digest) == ("path", home.sha256)
    assert locate(home, home.home) == found
    assert server.not_modified == tags
    file = tmp_path / "home" / "adult.data"
    file.write_text("changed\n")
    os.utime(file, (changed_at, changed_at))
    assert locate(home, home.home).digest == hashlib.sha256(b"changed\n").hexdigest()


def test_damaged_copy_of_a_url_is_fetched_again(home, server, tmp_path):
    found = locate(home, home.home)
    next(path for path in cached(tmp_path) if path.name == "adult.data").write_bytes(b"damaged")
    assert locate(home, home.home) == found


def test_folder_is_told_apart_by_content_alone(spec, tmp_path):
    def write(folder, content, at):
        (tmp_path / folder / "year=1").mkdir(parents=True, exist_ok=True)
        part = tmp_path / folder / "year=1" / "part-0"
        part.write_text(content)
        os.utime(part, (at, at))
        return locate(spec, str(tmp_path / folder)).digest

    before = write("one", "1,2\n", at=1e9)
    assert write("one", "3,4\n", at=1e9) != before  # of the same size, at the same time
    assert write("one", "1,2\n", at=2e9) == before
    assert write("two", "1,2\n", at=2e9) == before
    (tmp_path / "two" / "_SUCCESS").touch()
    (tmp_path / "two" / "year=1" / ".part-0.crc").write_text("sum")
    assert locate(spec, str(tmp_path / "two")).digest == before
    (tmp_path / "two" / "year=1").rename(tmp_path / "two" / "year=2")
    assert locate(spec, str(tmp_path / "two")).digest != before


def test_folder_without_a_file_that_spark_reads_is_refused(spec, tmp_path):
    (tmp_path / "_SUCCESS").touch()
    with pytest.raises(UserError, match="is an empty folder"):
        locate(spec, str(tmp_path))


def test_uri_of_another_file_system_is_not_taken_at_its_word(spec):
    assert locate(spec, "s3a://bucket/adult").digest is None


@pytest.mark.parametrize(
    "begin", ["", "file://", "file:", "file://localhost", "FILE://", "File:", "file://LOCALHOST"]
)
def test_file_is_found_by_its_uri_however_it_is_written(spec, tmp_path, begin):
    path = tmp_path / "my data.csv"
    path.write_text("a\n1\n")
    found = locate(spec, f"{begin}{str(path).replace(' ', '%20') if begin else path}")
    assert found == locate(spec, str(path))


def test_path_is_told_apart_by_content_not_by_name(spec, tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("1\n")
    two.write_text("1\n")
    before = locate(spec, str(one))
    assert locate(spec, str(two)).digest == before.digest
    one.write_text("2\n")
    assert locate(spec, str(one)).digest != before.digest


def test_missing_path_is_refused_with_what_would_be_right(spec):
    with pytest.raises(UserError, match="source 'nowhere.csv' does not exist: give auto, uci, sample"):
        locate(spec, "nowhere.csv")


def test_empty_file_is_refused(spec, tmp_path):
    path = tmp_path / "empty.csv"
    path.touch()
    with pytest.raises(UserError, match="is an empty file"):
        locate(spec, str(path))


def test_home_with_a_password_is_refused(home):
    with pytest.raises(
        UserError, match=r"home of dataset 'adult' 'https://me:\*\*\*@host/x' contains a password"
    ):
        locate(replace(home, home="https://me:s3cret@host/x"), "auto")


@pytest.mark.parametrize("place", ["data/adult.data", "file:///data/adult.data"])
def test_home_that_is_no_url_is_not_taken_for_a_lack_of_network(home, place):
    """With a sample, the workflow would go on with that."""
    with pytest.raises(UserError, match=f"is '{place}', which is no http.* URL: give source=FILE"):
        locate(replace(home, home=place), "auto")


def test_content_is_that_of_folders_behind_links_too(spec, tmp_path):
    parts, source = tmp_path / "parts", tmp_path / "source"
    (parts / "plan=a").mkdir(parents=True)
    (source / "plan=b").mkdir(parents=True)
    (source / "plan=b" / "x.csv").write_text("1\n")
    (parts / "plan=a" / "x.csv").write_text("1\n")
    (source / "plan=a").symlink_to(parts / "plan=a")
    before = locate(spec, str(source)).digest
    assert content_digest(f"file://{source}") == before
    (parts / "plan=a" / "x.csv").write_text("2\n")
    assert locate(spec, str(source)).digest != before
    assert content_digest("s3://far/away.csv") == ""


def test_folder_of_what_spark_ignores_is_said_to_be(spec, tmp_path):
    (tmp_path / "_plan=a").mkdir()
    (tmp_path / "_plan=a" / "x.csv").write_text("1\n")
    with pytest.raises(UserError, match="is an empty folder but for what Spark ignores"):
        locate(spec, str(tmp_path))


def test_cache_that_cannot_be_written_is_one_line(spec, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("INCOME_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"cache folder .*cache cannot be written .*: set INCOME_CACHE"):
        locate(spec, "sample")


def test_text_too_long_for_a_files_name_is_no_source(spec):
    with pytest.raises(UserError, match="does not exist: give auto"):
        locate(spec, "x" * 300)
