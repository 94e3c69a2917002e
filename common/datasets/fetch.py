"""Where a data set's file is: a path that was given, the cache, its home, or the built-in sample."""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlparse

import requests
from tqdm import tqdm
from urllib3.util import Retry

from common.census_sample import write_sample
from common.datasets.spec import CONF, DatasetSpec
from common.errors import UserError
from common.secrets import check_no_secret
from common.spark import file_uri

log = logging.getLogger(__name__)

TIMEOUT = (5, 30)  # seconds to connect, and between two chunks
CHUNK = 1 << 16  # bytes


@dataclass(frozen=True)
class Location:
    """A source that can be read now.

    Attributes:
        kind: uci, sample or path.
        uri: what Spark reads.
        digest: changes when the content does; a remote URI is taken at its word.
    """

    kind: str
    uri: str
    digest: str

    @property
    def size(self) -> int | None:
        """Bytes of a file on this machine; None of anything else."""
        path = Path(self.uri.removeprefix("file://"))
        return path.stat().st_size if path.is_file() else None


def locate(spec: DatasetSpec, source: str) -> Location:
    """Find a data set's file, fetching it when it is not here yet.

    Args:
        spec: the data set.
        source: `auto` (cache, else home, else, when home cannot be reached, the sample), `uci` (cache,
            else home), `sample`, or a path or URI of CSV or Parquet.

    Raises:
        UserError: there is nothing at the path, home cannot be reached, or its checksum differs.
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


@cache
def _warn_of_sample(reason: str) -> None:
    """Say it so that it cannot be missed, once a process."""
    rule = "!" * 88
    log.warning(
        f"{rule}\n{reason}\nGOING ON WITH THE SYNTHETIC SAMPLE: what follows is not the real data set. "
        f"For the real one give source=FILE, or source=uci where there is a network.\n{rule}"
    )


class HomeUnreachable(UserError):
    """The data set's home does not answer, or it has none."""


def cache_folder() -> Path:
    """Folder of downloaded files: INCOME_CACHE, else income/ in the user's cache."""
    given = os.environ.get("INCOME_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "income"


def _given(source: str) -> Location:
    check_no_secret("source", source)
    if source.startswith(("http://", "https://")):
        return _remote(source)
    if "://" in source and not source.startswith("file://"):
        return Location("path", source, source)
    path = Path(unquote(source[7:]) if source.startswith("file://") else source).expanduser()
    if path.is_file():
        if path.stat().st_size == 0:
            raise UserError(f"source {source!r} is an empty file")
        digest = _sha256(path)
    elif path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        if not files:
            raise UserError(f"source {source!r} is an empty folder")
        stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        digest = hashlib.sha256(repr(stats).encode()).hexdigest()
    else:
        raise UserError(
            f"source {source!r} does not exist: give auto, uci, sample, or a path or URI of CSV or "
            f"Parquet (a relative path starts at {Path.cwd()})"
        )
    return Location("path", file_uri(path), digest)


def _remote(url: str) -> Location:
    folder = cache_folder() / "urls" / hashlib.sha256(url.encode()).hexdigest()[:16]
    path = folder / (Path(urlparse(url).path).name or "data")
    with _whole(path) as part:
        since = path.stat().st_mtime if path.is_file() else None
        if not _download(url, part, since):
            shutil.copy2(path, part)
    return Location("path", file_uri(path), _sha256(path))


def _sample(spec: DatasetSpec) -> Location:
    if spec.sample is None:
        raise UserError(f"source 'sample' cannot be: dataset {spec.name!r} has no built-in sample")
    table = CONF / spec.sample
    digest = _sha256(table)
    path = cache_folder() / spec.name / f"sample-{digest[:16]}.data"
    if not path.is_file():
        with _whole(path) as part:
            write_sample(table, part)
    return Location("sample", file_uri(path), digest)


def _home(spec: DatasetSpec) -> Location:
    if spec.home is None or spec.sha256 is None:
        raise HomeUnreachable(f"dataset {spec.name!r} has no home and sha256: give source=FILE")
    check_no_secret(f"home of dataset {spec.name!r}", spec.home)
    path = cache_folder() / spec.name / spec.home.rsplit("/", 1)[-1]
    if not path.is_file() or _sha256(path) != spec.sha256:
        with _whole(path) as part:
            _download(spec.home, part)
            found = _sha256(part)
            if found != spec.sha256:
                raise UserError(
                    f"checksum of {spec.home} is {found}, but dataset {spec.name!r} expects "
                    f"{spec.sha256}: nothing was kept"
                )
    return Location("uci", file_uri(path), spec.sha256)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; on success rename it to `path`, otherwise remove it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _download(url: str, path: Path, since: float | None = None) -> bool:
    """Fetch a URL; false when it has not changed since a time, in seconds of the epoch."""
    retry = Retry(total=2, connect=0, backoff_factor=0.5, status_forcelist=[502, 503, 504])
    headers = {"If-Modified-Since": formatdate(since, usegmt=True)} if since else {}
    with requests.Session() as session:
        session.mount("http", requests.adapters.HTTPAdapter(max_retries=retry))
        try:
            with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                response.raise_for_status()
                if response.status_code == requests.codes.not_modified:
                    return False
                size = int(response.headers.get("Content-Length", 0)) or None
                with (
                    open(path, "wb") as file,
                    tqdm(desc=url, total=size, unit="B", unit_scale=True) as bar,
                ):
                    for chunk in response.iter_content(CHUNK):
                        file.write(chunk)
                        bar.update(len(chunk))
        except requests.RequestException as error:
            raise HomeUnreachable(f"{url} cannot be reached ({type(error).__name__})") from None
    return True


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
