"""Location of a data set's file: a given path or URI, the cache, its home, or the built-in sample."""

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from os.path import isdir, isfile
from pathlib import Path
from urllib.parse import unquote, urlparse

import requests
from tqdm import tqdm
from urllib3.util import Retry

from common.data.census_sample import write_sample
from common.data.spec import DatasetSpec
from common.data.spec_yaml import CONF, Given
from common.errors import UserError
from common.machine.secrets import check_no_secret
from common.machine.spark_settings import file_uri
from common.machine.user_path import user_path
from common.machine.whole_file import whole_file

log = logging.getLogger(__name__)

TIMEOUT = (5, 30)  # seconds to connect, seconds between two chunks
CHUNK = 1 << 16  # bytes


@dataclass(frozen=True)
class Location:
    """A source that is ready to be read.

    Attributes:
        kind: One of uci, sample and path.
        uri: The URI that Spark reads.
        digest: A hash of the content; None for a URI that only Spark's file systems can read.
    """

    kind: str
    uri: str
    digest: str | None

    @property
    def size(self) -> int | None:
        """Size in bytes of a file on this machine; None for anything else."""
        path = Path(self.uri.removeprefix("file://"))
        return path.stat().st_size if path.is_file() else None


def locate(spec: DatasetSpec | Given, source: str) -> Location:
    """Find a data set's file, and download it if it is not cached yet.

    Args:
        spec: The data set, or what is said of it.
        source: `auto` (the cache, else home, else the sample if home cannot be reached), `uci` (the
            cache, else home), `sample`, or a path or URI of CSV or Parquet.

    Raises:
        UserError: The path does not exist, home cannot be reached, or its file's checksum differs.
    """
    if source == "sample":
        return _sample(spec)
    if source == "uci":
        return _home(spec)
    if source != "auto":
        return _given(source)
    try:
        return _home(spec)
    except HomeUnreachable as error:
        if spec.sample is None:
            raise
        _warn_of_sample(str(error))
        return _sample(spec)


# Source: RFC 8089. Two slashes alone have stood before a path of ours, too.
LOCAL = re.compile(r"file:(?:(?://localhost)?(?=/[^/])|//)", re.IGNORECASE)


@cache
def _warn_of_sample(reason: str) -> None:
    """Log a prominent warning, once per process."""
    rule = "!" * 88
    log.warning(
        f"{rule}\n{reason}\nCONTINUING WITH THE SYNTHETIC SAMPLE, not the real data set. "
        f"For the real one, give source=FILE, or source=uci with a network connection.\n{rule}"
    )


class HomeUnreachable(UserError):
    """A data set's home, or a URL, cannot be reached, or the data set has no home."""


def cache_folder() -> Path:
    """Return the folder for downloads: INCOME_CACHE, else income/ in the user's cache folder."""
    given = os.environ.get("INCOME_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "income"


def _given(source: str) -> Location:
    check_no_secret("source", source)
    if source.startswith(("http://", "https://")):
        return _remote(source)
    local = LOCAL.match(source)
    if "://" in source and not local:
        return Location("path", source, None)
    path = user_path(unquote(source[local.end() :]) if local else source)
    if isfile(path):
        if path.stat().st_size == 0:
            raise UserError(f"source {source!r} is an empty file")
        return Location("path", file_uri(path), _sha256(path))
    if isdir(path):
        digest = _folder_sha256(path)
        if digest is None:
            hidden = " but for what Spark ignores: names that begin with _ or a dot"
            raise UserError(
                f"source {source!r} is an empty folder{hidden if any(path.iterdir()) else ''}"
            )
        return Location("path", file_uri(path), digest)
    raise UserError(
        f"source {source!r} does not exist: give auto, uci, sample, or a path or URI of CSV or "
        f"Parquet (relative paths start at {Path.cwd()})"
    )


def _remote(url: str) -> Location:
    """Download a URL's file, unless the cached copy has the entity tag that the server still reports.

    The modification time would not do: a file may be replaced by one older than the cached copy.
    """
    folder = cache_folder() / "urls" / hashlib.sha256(url.encode()).hexdigest()[:16]
    # Of a long name the end says what the file is.
    path = folder / (Path(urlparse(url).path).name[-100:] or "data")
    kept = folder / "fetched.json"
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    # With two concurrent downloads, the file may be one's and the entity tag the other's.
    tag = known.get("etag") if path.is_file() and known.get("sha256") == _sha256(path) else None
    with _cached(path) as part:
        tag = _download(url, part, tag)
        digest = _sha256(part if part.exists() else path)
    with _cached(kept) as part:
        part.write_text(json.dumps({"etag": tag, "sha256": digest}), encoding="utf-8")
    return Location("path", file_uri(path), digest)


def _sample(spec: DatasetSpec | Given) -> Location:
    if spec.sample is None:
        raise UserError(f"source 'sample' is unavailable: dataset {spec.name!r} has no built-in sample")
    table = CONF / spec.sample
    digest = _sha256(table)
    path = cache_folder() / spec.name / f"sample-{digest[:16]}.data"
    if not path.is_file():
        with _cached(path) as part:
            write_sample(table, part)
    return Location("sample", file_uri(path), digest)


def _home(spec: DatasetSpec | Given) -> Location:
    if spec.home is None or spec.sha256 is None:
        raise HomeUnreachable(f"dataset {spec.name!r} lacks home or sha256: give source=FILE")
    check_no_secret(f"home of dataset {spec.name!r}", spec.home)
    if not spec.home.lower().startswith(("http://", "https://")):
        raise UserError(
            f"home of dataset {spec.name!r} is {spec.home!r}, which is no http(s) URL: give source=FILE, "
            "or make the file the default of source"
        )
    path = cache_folder() / spec.name / spec.home.rsplit("/", 1)[-1]
    if not path.is_file() or _sha256(path) != spec.sha256:
        with _cached(path) as part:
            _download(spec.home, part)
            found = _sha256(part)
            if found != spec.sha256:
                raise UserError(
                    f"checksum of {spec.home} is {found}, but dataset {spec.name!r} expects "
                    f"{spec.sha256}: nothing was kept"
                )
    return Location("uci", file_uri(path), spec.sha256)


def _download(url: str, path: Path, tag: str | None = None) -> str | None:
    """Download a URL unless its entity tag still equals `tag`, and return its entity tag."""
    retry = Retry(total=2, connect=0, backoff_factor=0.5, status_forcelist=[502, 503, 504])
    headers = {"If-None-Match": tag} if tag else {}
    with requests.Session() as session:
        session.mount("http", requests.adapters.HTTPAdapter(max_retries=retry))
        try:
            with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                response.raise_for_status()
                if response.status_code == requests.codes.not_modified:
                    return tag
                size = int(response.headers.get("Content-Length", 0)) or None
                with (
                    open(path, "wb") as file,
                    tqdm(desc=url, total=size, unit="B", unit_scale=True) as bar,
                ):
                    for chunk in response.iter_content(CHUNK):
                        file.write(chunk)
                        bar.update(len(chunk))
                return response.headers.get("ETag")
        except requests.RequestException as error:
            raise HomeUnreachable(f"{url} cannot be reached ({type(error).__name__})") from None


@contextmanager
def _cached(path: Path) -> Iterator[Path]:
    """Write a file of the cache whole; see `whole_file`."""
    try:
        with whole_file(path) as part:
            yield part
    except OSError as error:
        said = f"cache folder {cache_folder()} cannot be written ({error.strerror or error})"
        raise UserError(f"{said}: set INCOME_CACHE to another") from None


def check_unchanged(location: Location) -> None:
    """Refuse a file that was written while it was read: its rows may be of neither content.

    Args:
        location: The file as it was located before.

    Raises:
        UserError: Its content has changed.
    """
    # The sample's hash is that of the counts that it is drawn from.
    if location.digest is None or location.kind == "sample":
        return
    if content_digest(location.uri) != location.digest:
        raise UserError(
            f"source {location.uri} has changed while it was read: give the same command again when "
            "nothing writes to it"
        )


def content_digest(uri: str) -> str:
    """Return a hash of the content of a file or folder on this machine; empty for anything else."""
    path = Path(uri.removeprefix("file://"))
    if isfile(path):
        return _sha256(path)
    return (_folder_sha256(path) or "") if isdir(path) else ""


def _folder_sha256(folder: Path) -> str | None:
    """Hash the names and content of a folder's files, except those that Spark ignores."""
    # Spark goes into folders that are links, too.
    found = (Path(at, name) for at, _, names in os.walk(folder, followlinks=True) for name in names)
    names = sorted(path.relative_to(folder) for path in found if path.is_file())
    read = [name for name in names if not any(part.startswith(("_", ".")) for part in name.parts)]
    listed = [(str(name), _sha256(folder / name)) for name in read]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest() if listed else None


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
