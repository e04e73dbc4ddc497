"""Look at what the browser painted: WebGL has no DOM to ask."""

import time
from collections import Counter
from collections.abc import Callable
from io import BytesIO

from PIL import Image
from playwright.sync_api import Page

MAP = ".st-key-overview-map"
_ROUND_MS = 200


def eventually(page: Page, holds: Callable[[], bool], what: str, patience: float = 60) -> None:
    """Look again and again until it holds; the page goes on meanwhile."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        page.wait_for_timeout(_ROUND_MS)


def map_picture(page: Page) -> Image.Image:
    """Return what the map's box shows."""
    box = page.locator(f"{MAP} canvas").first
    return Image.open(BytesIO(box.screenshot())).convert("RGB")


def colour_shares(picture: Image.Image) -> dict[tuple[int, int, int], float]:
    """Return the share of the picture that each colour covers, the commonest first."""
    counts = Counter(picture.getdata())
    total = picture.width * picture.height
    return {colour: count / total for colour, count in counts.most_common(12)}


def is_painted(page: Page) -> bool:
    """Tell whether several colours cover a good part of the map: the counties are there."""
    if page.locator(f"{MAP} canvas").count() == 0:
        return False
    shares = list(colour_shares(map_picture(page)).values())
    return sum(share > 0.01 for share in shares) >= 4
