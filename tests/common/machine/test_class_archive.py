"""Most runs in separate processes, because the shared session's JVM has already started."""

import subprocess
import sys
from urllib.parse import quote

import pyspark
import pytest

from common.machine import class_archive
from tests.project import ROOT

# What the steps need takes Java 36 s of processor time to archive, and what a session loads 21.
WRITE = """
from pathlib import Path
from common.machine import class_archive
class_archive._load_classes = lambda spark: spark.range(3).count()
class_archive.write_archive(Path({path!r}))
"""
COUNT = """
from common.machine.spark import get_session
print("rows", get_session("local[1]", {options!r}).range(3).count())
"""


def run(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


def test_what_is_done_to_load_the_classes_can_be_done(spark):
    class_archive._load_classes(spark)


@pytest.mark.slow
def test_session_takes_its_classes_from_the_archive_and_does_without_a_foreign_one(tmp_path):
    # Spark splits Java's options at spaces that are not quoted.
    folder = tmp_path / "it's my folder"
    path = folder / "classes.jsa"
    run(WRITE.format(path=str(path)))
    assert list(folder.iterdir()) == [path]
    shared = [f"-XX:SharedArchiveFile={path}", f"-Xlog:class+load=info:file={tmp_path}/loaded.log"]
    assert "rows 3" in run(COUNT.format(options=shared)).stdout
    log = (tmp_path / "loaded.log").read_text().splitlines()
    loaded = [line for line in log if "org.apache.spark" in line]
    # Java shares no classes of jars whose path it has to escape.
    if quote(pyspark.__file__) == pyspark.__file__:
        assert sum("shared objects file" in line for line in loaded) > len(loaded) / 2

    path.chmod(0o600)
    path.write_bytes(b"made by another Java")
    assert "rows 3" in run(COUNT.format(options=[f"-XX:SharedArchiveFile={path}"])).stdout
