"""The browser's way back: each page is found again with the parameters it was left with."""

from pathlib import Path

import streamlit as st

_SCRIPT = Path(__file__).parents[1] / "assets" / "way_back.js"
_mount = st.components.v2.component(
    "portal_way_back", js=_SCRIPT.read_text(encoding="utf-8"), isolate_styles=False
)


def keep_way_back() -> None:
    """Keep the entries of the browser's history to pages with their own parameters."""
    _mount(key="portal-way-back", height=1)
