"""Pictures of the documentation, made anew from a real run.

    python tasks/sentiment.py train --run-dir runs/sentiment/picture
    python benchmarks/picture.py --logdir runs/sentiment
    python benchmarks/picture.py --html runs/sentiment/picture/report.html

Starts TensorBoard, or takes a page, opens it in a headless Chromium, and writes what a
person would see. Takes `chromium`, `chromium-browser` or `google-chrome` on the path.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Curves of one run, side by side: a filter puts them into one group that is open.
PAGE = "scalars&tagFilter=epoch_|gradient_norm|learning_rate&_smoothingWeight=0"
FLAGS = (
    "--headless --no-sandbox --hide-scrollbars --disable-gpu --disable-quic "
    "--no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --virtual-time-budget=20000"
).split()
COLORS = 128


def start_tensorboard(logdir: Path, log: Path) -> tuple[subprocess.Popen, str]:
    """The process and its address."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)]
    command += ["--port", "0", "--load_fast", "false"]
    with log.open("w") as file:
        server = subprocess.Popen(command, stdout=file, stderr=file)
    while server.poll() is None:
        for word in log.read_text().split():
            if word.startswith("http://localhost"):
                time.sleep(5)  # it reads the logs in the background
                return server, word
        time.sleep(0.5)
    raise SystemExit(f"TensorBoard did not start: {log.read_text()}")


def take_picture(address: str, page: str, size: str, out: Path, profile: str) -> None:
    """Writes the page as a PNG of few colours."""
    from PIL import Image

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"no browser found; install one of: {', '.join(BROWSERS)}")
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            browser,
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={size}",
            f"--screenshot={out}",
            f"{address}#{page}",
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    with Image.open(out) as image:
        image.convert("RGB").quantize(COLORS).save(out, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    shown = parser.add_mutually_exclusive_group(required=True)
    shown.add_argument("--logdir", type=Path, help="folder of TensorBoard's logs")
    shown.add_argument("--html", type=Path, help="a page, such as a run's report.html")
    parser.add_argument("--page", default=PAGE, help="what stands after # of the page")
    parser.add_argument("--size", default="1240,1020", help="of the window, in pixels")
    parser.add_argument("--out", type=Path, help="default in docs/images/")
    options = parser.parse_args()
    name = "tensorboard.png" if options.logdir else "report.png"
    out = options.out or ROOT / "docs" / "images" / name
    with tempfile.TemporaryDirectory() as folder:
        if options.html:
            address = options.html.resolve().as_uri()
            take_picture(address, "", options.size, out, folder)
            return print(out)
        server, address = start_tensorboard(options.logdir, Path(folder, "log"))
        try:
            take_picture(address, options.page, options.size, out, folder)
        finally:
            server.terminate()
            server.wait(30)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
