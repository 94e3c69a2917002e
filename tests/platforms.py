"""Check that every pin has a wheel for every machine that the README names: `make platforms`.

A pin without a wheel would need a compiler, which users may not have. uv asks the package index; nothing
is downloaded. The exit code is 1 if a wheel is missing.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINS = ("requirements.txt", "tests/requirements.txt")
PYTHONS = ("3.11", "3.12", "3.13")
# The oldest systems that ONNX Runtime has wheels for.
PLATFORMS = {
    "Linux, x86-64": "x86_64-manylinux_2_28",
    "Linux, ARM": "aarch64-manylinux_2_28",
    "macOS 14, Apple silicon": "aarch64-apple-darwin",
}
# Published only as source, with Python code and Java classes: no compiler is needed.
SOURCES = ("pyspark",)


def lacking(pins, platform, python):
    """Return the pins for this machine that have no wheel for it."""
    command = ["uv", "pip", "compile", "-", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--python-platform", platform, "--python-version", python]
    # uv has no option for this, and assumes macOS 13 otherwise.
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    found = []
    while True:
        # uv names one missing wheel at a time.
        rest = "\n".join(pin for pin in pins if pin not in found)
        # In another folder, since here uv would apply the overrides in pyproject.toml.
        asked = subprocess.run(
            command, input=rest, capture_output=True, text=True, env=environment, cwd=Path.home()
        )
        if asked.returncode == 0:
            return found
        named = re.search(r"(\S+==\S+) has no ", asked.stderr)
        if not named:
            sys.exit(f"uv cannot tell: {asked.stderr.strip()}")
        found += [pin for pin in pins if pin.split()[0] == named[1]]


def pinned(path):
    """Return the pins of a file with their markers, except those that need no wheel."""
    lines = (line.split(" #")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if "==" in line and line.split("==")[0] not in SOURCES]


def main():
    """Print a table of machines and Pythons; exit with 1 if a pin has no wheel."""
    pins = sorted({pin for file in PINS for pin in pinned(ROOT / file)})
    print(f"{len(pins)} pins; {', '.join(SOURCES)}, of pure Python, needs no wheel")
    complete = True
    print(f"{'':24}", *(f"{python:8}" for python in PYTHONS))
    for name, platform in PLATFORMS.items():
        missing = {python: lacking(pins, platform, python) for python in PYTHONS}
        complete &= not any(missing.values())
        shown = (f"{'lacking' if missing[python] else 'wheels':8}" for python in PYTHONS)
        print(f"{name:24}", *shown)
        for python, found in missing.items():
            for pin in found:
                print(f"    Python {python}: no wheel of {pin}")
    sys.exit(not complete)


if __name__ == "__main__":
    main()
