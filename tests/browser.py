"""Open a page in headless Chromium at several widths: what it logs, and whether it fits."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest

FRAME = """<!doctype html><meta charset="utf-8"><pre id="found"></pre>{frames}<script>
onload = () => {{
  const widths = [...document.querySelectorAll("iframe")].map((frame) => {{
    const root = frame.contentDocument.documentElement;
    return [frame.contentWindow.innerWidth, root.scrollWidth, root.scrollHeight];
  }});
  document.getElementById("found").textContent = JSON.stringify(widths);
}};
</script>"""


@dataclass
class Seen:
    """Lines of the console; for each width, the size of the window and of the page."""

    console: list[str]
    windows: list[tuple[int, int, int]]


def open_page(page, folder, widths=(1280, 390)):
    """Open a page in frames of several widths, since a window cannot be as narrow as a phone."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("there is no chromium to look at the page with")
    frames = "".join(
        f'<iframe width="{width}" height="800" style="border:0" srcdoc="{html.escape(page)}"></iframe>'
        for width in widths
    )
    file = folder / "frames.html"
    file.write_text(FRAME.format(frames=frames))
    options = ["headless", "no-sandbox", "disable-gpu", "disable-background-networking", "no-first-run"]
    options += ["enable-logging=stderr", f"user-data-dir={folder / 'browser'}", "dump-dom"]
    command = [browser, *[f"--{option}" for option in options], file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout)
    assert found, done.stderr
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return Seen(console, [tuple(window) for window in json.loads(found[1])])
