"""The eyes of a dashboard in the browser: new data, opened links, and what the screen can do.

It asks a small route every few seconds whether the data moved, so that no script runs while
nothing happens; only a change reruns the fragment that it stands in, and dialogs and half-typed
text elsewhere stay as they are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

_SCRIPT = Path(__file__).parents[1] / "assets" / "watch.js"
_mount = st.components.v2.component(
    "portal_watch", js=_SCRIPT.read_text(encoding="utf-8"), isolate_styles=False
)


@dataclass(frozen=True, slots=True)
class Screen:
    """What the browser told about itself: pixels of the map's box, and whether it has WebGL."""

    width: int
    height: int
    has_webgl: bool


# A wall screen; others say so once, and the browser keeps in a cookie what it said.
_ASSUMED = Screen(width=1100, height=560, has_webgl=True)
_KEPT = re.compile(r"(\d{3,4})x(\d{3,4})")


@dataclass(frozen=True, slots=True)
class Watched:
    """What the browser reports: its screen, and the address of a link in the run that opens it."""

    screen: Screen
    opened: str | None
    action: str | None


def watch(
    version: str | None,
    key: str,
    on_open: Callable[[], None] | None = None,
    *,
    url: str = "/api/overview/version",
    box: str | None = "overview-map",
) -> Watched:
    """Mount the eyes; `version` is what is shown, None (a past day) waits for no change.

    `url` tells the version of now, `box` is the key of the container that holds the map; None
    where nobody needs its size, nor whether there is WebGL.

    A change, an opened link (`data-portal-open`) and an action (`data-portal-action`) rerun the
    surrounding fragment.
    """
    assumed = _assumed(box)
    result: Any = _mount(
        key=key,
        data={
            "version": version,
            "url": url,
            "box": box,
            "width": assumed.width,
            "height": assumed.height,
            "known": assumed is not _ASSUMED,
        },
        height=1,
        on_screen_change=lambda: None,
        on_changed_change=lambda: None,
        on_action_change=lambda: None,
        on_open_change=on_open or (lambda: None),
    )
    told = result.get("screen") or {}
    screen = Screen(
        width=_pixels(told.get("width"), assumed.width),
        height=_pixels(told.get("height"), assumed.height),
        has_webgl=told.get("webgl") is not False,
    )
    return Watched(screen=screen, opened=result.get("open"), action=result.get("action"))


def _assumed(box: str | None) -> Screen:
    """Return the screen as it was when the page was last open: its map is not drawn twice."""
    kept = _KEPT.fullmatch(st.context.cookies.get(f"portal_{box}", ""))
    if kept is None:
        return _ASSUMED
    width, height = (_pixels(int(number), 0) for number in kept.groups())
    return Screen(width, height, has_webgl=True)


def _pixels(value: object, assumed: int) -> int:
    """Return a size that a browser may have: what it says is not to be trusted."""
    return min(max(int(value), 200), 8000) if isinstance(value, int | float) else assumed
