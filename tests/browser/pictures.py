"""Look at what the browser painted: WebGL has no DOM to ask."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

from PIL import Image
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TooLate

MAP = ".st-key-overview-map"
UNIT_ADDRESS = re.compile(r"/unit\?.*code=\d{6}")
_ROUND_MS = 200
_CLICKS = 6

# A browser that draws nothing in three dimensions, for `add_init_script`.
NO_WEBGL = """
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : get.call(this, kind, ...rest);
};
"""


def eventually(page: Page, holds: Callable[[], bool], what: str, patience: float = 60) -> None:
    """Look again and again until it holds; the page goes on meanwhile."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        page.wait_for_timeout(_ROUND_MS)


def map_picture(page: Page, box: str = MAP) -> Image.Image:
    """Return what the map's box shows."""
    canvas = page.locator(f"{box} canvas").first
    return Image.open(BytesIO(canvas.screenshot())).convert("RGB")


def colour_shares(picture: Image.Image) -> dict[tuple[int, int, int], float]:
    """Return the share of the picture that each colour covers, the commonest first."""
    total = picture.width * picture.height
    counts = sorted(picture.getcolors(total) or [], reverse=True)
    return {colour: count / total for count, colour in counts[:12]}


def open_from_map(page: Page) -> str:
    """Click the unit in the middle of the map until it opens; return the name of its tooltip.

    deck.gl takes a press of more than a quarter of a second for a drag, and on a busy machine
    without a GPU a frame may last as long.
    """
    box = page.locator(f"{MAP} canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    tooltip = page.locator(".deck-tooltip").first
    tooltip.wait_for()
    name = tooltip.inner_text().split("\n")[0]
    for _ in range(_CLICKS):
        page.mouse.click(x, y)
        with suppress(TooLate):
            page.wait_for_url(UNIT_ADDRESS, timeout=6000)
            return name
    raise AssertionError(f"{_CLICKS} clicks on {name} do not open it")


def settle(page: Page) -> None:
    """Wait until the map is painted and two pictures of it are the same: it no longer grows."""
    last: list[bytes] = [b""]

    def stands_still() -> bool:
        before, last[0] = last[0], map_picture(page).tobytes()
        return last[0] == before

    eventually(page, lambda: is_painted(page) and stands_still(), "the map is painted")


def is_painted(page: Page, box: str = MAP, least: float = 0.01) -> bool:
    """Tell whether several colours cover a good part of the map: the counties are there.

    Of villages, which are circles and points on an empty ground, `least` is a smaller share.
    """
    if page.locator(f"{box} canvas").count() == 0:
        return False
    shares = list(colour_shares(map_picture(page, box)).values())
    return sum(share > least for share in shares) >= 4
