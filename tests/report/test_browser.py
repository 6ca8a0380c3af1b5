"""The page in a real browser, where there is one: no messages, no network, light and dark."""

import contextlib
import functools
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import matplotlib.image
import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium to open the page in")

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # What browsers ask their makers is no concern of a test.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def browse(address, folder, *options):
    """Open an address; what the browser said."""
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [BROWSER, *QUIET, profile, "--enable-logging=stderr", *options, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


@contextlib.contextmanager
def served(folder):
    """A server of a folder: its address, and what it was asked for."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_is_said_and_nothing_asked_for(path, tmp_path):
    with served(path.parent) as (address, asked):
        done = browse(f"{address}/{path.name}", tmp_path, "--dump-dom")
    assert "CONSOLE" not in done.stderr
    assert "What the observations tell" in done.stdout and done.stdout.count("<svg") == 25
    assert asked == ["/report.html"]


def test_what_would_be_loaded_is_refused(path, tmp_path):
    # So that the test above could fail.
    more = '<img src="other.png"><script>document.title = "changed"</script></main>'
    (tmp_path / "other.html").write_text(path.read_text("utf8").replace("</main>", more), "utf8")
    with served(tmp_path) as (address, asked):
        done = browse(f"{address}/other.html", tmp_path, "--dump-dom")
    assert done.stderr.count("CONSOLE") == 2 and "Content Security Policy" in done.stderr
    assert asked == ["/other.html"] and "changed</title>" not in done.stdout


def test_a_file_is_enough(path, tmp_path):
    done = browse(path.as_uri(), tmp_path, "--dump-dom")
    assert "CONSOLE" not in done.stderr and "Settings and provenance" in done.stdout


@pytest.mark.parametrize("width", [1100, 400])
@pytest.mark.parametrize(("scheme", "dark"), [(0, True), (1, False)])
def test_light_and_dark(path, tmp_path, scheme, dark, width):
    picture = tmp_path / "page.png"
    look = f"--blink-settings=preferredColorScheme={scheme}"
    browse(path.as_uri(), tmp_path, f"--screenshot={picture}", f"--window-size={width},3000", look)
    pixels = matplotlib.image.imread(picture)[..., :3]
    assert pixels.shape[1] == width
    corner = float(pixels[:10, :10].mean())
    assert corner < 0.2 if dark else corner > 0.95
    # Text is far from the page, whichever it is.
    brightness = pixels[: 3000 // 4].mean(axis=2)
    text = float(brightness.max() if dark else brightness.min())
    assert abs(text - corner) > 0.6
