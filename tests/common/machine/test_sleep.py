"""A computer that sleeps while Spark works."""

import os
import subprocess
import sys

from common import ROOT

# The JVM stands still for longer than a driver waits for an executor's heartbeat. Afterwards the driver
# looks for one before the executor has had its turn. By default that takes minutes.
SETTINGS = """\
spark.network.timeout 2s
spark.network.timeoutInterval 200ms
spark.executor.heartbeatInterval 1900ms
"""
CODE = """
import os, signal, time
from common.machine.spark import get_session

spark = get_session("local[2]")
jvm = int(spark._jvm.java.lang.ProcessHandle.current().pid())
for _ in range(2):
    os.kill(jvm, signal.SIGSTOP)
    time.sleep(4)
    os.kill(jvm, signal.SIGCONT)
    time.sleep(1)
    print(spark.sparkContext.parallelize(range(4), 4).map(lambda number: number + 1).collect())
"""


def test_work_goes_on_after_a_computers_sleep_and_nothing_is_printed(tmp_path):
    (tmp_path / "spark-defaults.conf").write_text(SETTINGS)
    environment = {**os.environ, "SPARK_CONF_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == "[1, 2, 3, 4]\n" * 2
    assert [line for line in done.stderr.splitlines() if "JDK_JAVA_OPTIONS" not in line] == []
