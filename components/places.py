"""The map of a village where its positions are corrected, in the portal and on the phone page."""

from functools import cache
from pathlib import Path

import streamlit as st

from components.map import registry_url
from domain.access import Actor

_ASSETS = Path(__file__).parents[1] / "assets"
_COUNTY_DIGITS = 6
_DESCRIBED = "form_parts.js"  # what every script of a form builds elements with
_SCRIPTS = ("place_map.js", "place_editor.js")


@cache
def place_script() -> str:
    """Return the scripts of the map and its panel, behind those that a form brings."""
    return "\n".join((_ASSETS / name).read_text("utf-8") for name in _SCRIPTS)


@cache
def place_style() -> str:
    """Return the style sheet of the map and its panel."""
    return (_ASSETS / "place_map.css").read_text("utf-8")


_element = st.components.v2.component(
    "place_editor",
    css=place_style(),
    js="\n".join(
        [
            (_ASSETS / _DESCRIBED).read_text("utf-8"),
            place_script(),
            (_ASSETS / "place_mount.js").read_text("utf-8"),
        ]
    ),
)


def place_editor(actor: Actor, village: str, submission_id: int) -> None:
    """Draw where the village and its natural villages lie; a correction reruns the page.

    The element asks /api/villages for everything else, and only once somebody looks at it.
    """
    _element(
        key=f"place-editor-{village}",
        data={
            "village": village,
            "user": actor.user_id,
            "submission": submission_id,
            "outline": outline_url(village),
        },
        on_moved_change=_noted,
    )


def outline_url(village: str) -> str:
    """Return the address of the outline of the county that a village lies in."""
    return registry_url("county", {"code": village[:_COUNTY_DIGITS]})


def _noted() -> None:
    """Let the trigger rerun the page, which reads the new positions."""
