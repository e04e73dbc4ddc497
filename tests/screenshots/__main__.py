"""Take every picture of the guide and the READMEs anew.

python -m tests.screenshots --url http://127.0.0.1:8690 --data-dir DIR

It signs in with the demo accounts of a running portal and types into its forms, so give it one
of its own: `./portal run --data-dir DIR --port PORT`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.paths import ROOT
from tests.screenshots import administrator, everybody, filer, reviewer, villages  # noqa: F401
from tests.screenshots.camera import (
    TAKINGS,
    Camera,
    Taking,
)
from tests.screenshots.everybody import PLAIN


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var", help="of that portal")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("names", nargs="*", help="only these")
    asked = parser.parse_args(arguments)
    asked.to.mkdir(parents=True, exist_ok=True)
    takings: dict[str, Taking] = dict(TAKINGS)
    for name, taking in PLAIN.items():
        takings[name] = lambda camera, name=name, taking=taking: taking(camera, name)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        camera = Camera(browser, asked.url, asked.data_dir, asked.to)
        for name in asked.names or takings:
            takings[name](camera)
        browser.close()


if __name__ == "__main__":
    main()
