"""The map of all villages: its tiles by URL, its colours, its legend, the card of one village.

The browser draws it on a plain canvas (assets/village_map.js): without a GPU, WebGL takes seconds.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from components.labels import label
from components.map import INK, Swatch
from data_access import village_map
from data_access.change_listener import Topic, mark, quiet_seconds, scope_mark
from data_access.database import transaction
from data_access.layers import Extent
from data_access.read_replica import read
from data_access.village_map import Area, Count, VillageCard
from domain.access import Actor
from domain.clock import today
from domain.workflow import SubmissionState

_PAGE = "village_map"
_ASSETS = Path(__file__).parents[1] / "assets"
_SCRIPTS = ("tile_points.js", "village_map.js")
_mount = st.components.v2.component(
    "portal_village_map",
    js="\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    isolate_styles=False,
)
_SETTLED = 5.0  # seconds after a change in which some tile may still be the one from before it
_DEEPEST_TILES, _POINT_ZOOM = 14, 13
_VILLAGE_DIGITS = 12
_CODE = re.compile(r"\d{12}(?:\d{3})?")
_PLACE = re.compile(r"(\d{1,2}\.\d\d)_(-?\d{1,2}\.\d{4})_(-?\d{1,3}\.\d{4})")
_LEAST_ZOOM, _MOST_ZOOM = 4, 17
# Simplified, and as they are kept.
_BORDERS_URLS = ("/api/borders.json", "/api/borders.json?detail=full")
_NAMES_URL = "/api/village-map/names"
# Of county, city and province: colour and width in pixels.
_BORDERS = (("#9FB0BF", 0.8), ("#5B6B7A", 1.2), ("#5B6B7A", 2.0))
NOTHING = "#A3B0BC"
"""Colour of a village of which nothing is known."""


LEGEND_NOTE = "圆圈下为村庄个数，颜色为其中最多的一类，灰边越宽占比越低"


class Shown(StrEnum):
    """The layers of the registry that the map shows."""

    VILLAGE = "village"
    NATURAL_VILLAGE = "natural_village"


class VillageColour(StrEnum):
    """What colours a village; each a column of village_standing."""

    STATE = "state"
    VILLAGE_CLASS = "village_class"
    EVAL_CONCLUSION = "eval_conclusion"
    GEOHAZARD_LEVEL = "geohazard_level"


SHOWN_WORDS = {Shown.VILLAGE: "行政村", Shown.NATURAL_VILLAGE: "自然村"}
COLOUR_WORDS = {
    VillageColour.STATE: "填报状态",
    VillageColour.VILLAGE_CLASS: "村庄分类",
    VillageColour.EVAL_CONCLUSION: "评估结论",
    VillageColour.GEOHAZARD_LEVEL: "地灾隐患",
}
_TABLES = {
    VillageColour.VILLAGE_CLASS: "CZFLDM",
    VillageColour.EVAL_CONCLUSION: "PGJL",
    VillageColour.GEOHAZARD_LEVEL: "DZZHDJ",
}
_STATE_COLOURS = {
    SubmissionState.DRAFT: "#E6B800",
    SubmissionState.SUBMITTED: "#2B8CBE",
    SubmissionState.RETURNED: "#C8452F",
    SubmissionState.FILED: "#2E8B57",
}
_CODE_COLOURS = ("#2E8B57", "#2B8CBE", "#8E6BBF", "#C8452F", "#8A7F5C", "#5B6B7A")
_HAZARD_COLOURS = ("#9CCBB0", "#F2C94C", "#E67E22", "#C8452F", "#7A1F1A")
# Counts and the radius of their circle, in pixels: the last that a count reaches.
_CIRCLES = ((1, 9), (10, 12), (50, 15), (200, 18), (600, 21), (1500, 24))
_EMPTY = {
    VillageColour.EVAL_CONCLUSION: "不作评估",
    VillageColour.GEOHAZARD_LEVEL: "无隐患",
}


@dataclass(frozen=True, slots=True)
class _Shades:
    """The map's colours that follow the page's light or dark."""

    rest: str
    """Of the ring around a circle, what is not of its commonest class; of what is out of scope."""
    letters: str
    soft: str
    """Of the letters of a county's name."""
    ground: str
    """Behind the letters: on every colour they need one of their own."""


_LIGHT = _Shades("#D5DCE2", INK, "#4A5968", "#FFFFFF")
_DARK = _Shades("#46545F", "#E3E9EE", "#A9B7C4", "#1E2833")


def _shades() -> _Shades:
    return _DARK if st.context.theme.type == "dark" else _LIGHT


@dataclass(frozen=True, slots=True)
class View:
    """What the map is asked to show; the address of the page carries it."""

    shown: Shown
    colour_by: VillageColour
    city: str | None
    county: str | None
    code: str | None

    @property
    def area(self) -> str | None:
        return self.county or self.city


@dataclass(frozen=True, slots=True)
class Place:
    """Where the map looks: its middle in degrees of EPSG:4490, and its zoom."""

    longitude: float
    latitude: float
    zoom: float


_ANYWHERE = Place(0, 0, _LEAST_ZOOM)
"""Without boundaries nothing says where to look."""


def version_of(actor: Actor) -> str:
    """Return what moves when the map must be drawn again: with a change, and once more after it."""
    settled = int(quiet_seconds() > _SETTLED)
    return f"{mark(Topic.MAP)}.{scope_mark(actor.prefixes)}.{settled}"


def asked_code() -> str | None:
    """Return the code of the village in the address."""
    text = st.query_params.get("code", "")
    return text if _CODE.fullmatch(text) else None


@st.cache_resource(ttl="6h", max_entries=4, show_spinner=False)
def areas(marked: int) -> dict[str, Area]:
    """Return cities and counties by code; they hold until the mark of the map moves."""
    with transaction(None, read_only=True) as connection:
        return {area.code: area for area in village_map.list_areas(connection, today())}


def where_lies(code: str, town: str = "") -> str:
    """Return where a village lies: 南昌市 南昌县 塔城乡; of what is no village `town` alone."""
    if len(code) < _VILLAGE_DIGITS:
        return town
    above = [area for area in areas(mark(Topic.MAP)).values() if code.startswith(area.prefix)]
    above.sort(key=lambda area: len(area.prefix))
    return " ".join([*(area.name for area in above), town]).strip()


@st.cache_resource(ttl="6h", max_entries=4, show_spinner=False)
def words_of(marked: int) -> dict[str, dict[str, str]]:
    """Return the names of codes by table; they hold until the mark of the forms moves."""
    with transaction(None, read_only=True) as connection:
        words = village_map.list_words(connection)
    tables: dict[str, dict[str, str]] = {}
    for word in words:
        tables.setdefault(word.table_code, {})[word.code] = word.name
    return tables


def classes_of(colour_by: VillageColour) -> list[tuple[str, str, str]]:
    """Return value, words and colour of every class."""
    if colour_by is VillageColour.STATE:
        return [(state, label(state), colour) for state, colour in _STATE_COLOURS.items()]
    names = words_of(mark(Topic.FORMS)).get(_TABLES[colour_by], {})
    is_hazard = colour_by is VillageColour.GEOHAZARD_LEVEL
    colours = _HAZARD_COLOURS if is_hazard else _CODE_COLOURS
    return [
        (code, name, colours[index % len(colours)])
        for index, (code, name) in enumerate(names.items())
    ]


def outside_html(actor: Actor) -> str:
    """Return the legend's entry of villages whose answers the actor may not see; '' for none."""
    if all(actor.covers(area.prefix) for area in areas(mark(Topic.MAP)).values()):
        return ""
    return f'<li><i style="background-color:{_shades().rest}"></i>不在您的数据范围</li>'


def unknown_words(colour_by: VillageColour) -> str:
    """Return what is said of a village without a value."""
    if colour_by is VillageColour.STATE:
        return "未开始填报"
    return "无隐患或未认定" if colour_by is VillageColour.GEOHAZARD_LEVEL else "未认定"


def counts_of(actor: Actor, view: View, version: str) -> list[Count]:
    """Return the counts behind the legend, by county."""
    return _counts(actor, actor.prefixes, view.shown, view.colour_by, view.area, version)


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _counts(
    _actor: Actor,
    scope: tuple[str, ...],
    shown: Shown,
    colour_by: VillageColour,
    area: str | None,
    version: str,
) -> list[Count]:
    known = areas(mark(Topic.MAP))
    prefix = known[area].prefix if area in known else ""
    return read(
        _actor,
        lambda connection: village_map.count_standing(connection, shown, colour_by, prefix),
    )


def legend_of(view: View, counts: Sequence[Count]) -> list[Swatch]:
    """Return every class with its number of points, those without a value last."""
    sums: dict[str | None, int] = {}
    for count in counts:
        sums[count.value] = sums.get(count.value, 0) + count.points
    swatches = [
        Swatch(words, colour, "", False, sums.pop(value, 0))
        for value, words, colour in classes_of(view.colour_by)
    ]
    rest = sum(sums.values())
    return [*swatches, Swatch(unknown_words(view.colour_by), NOTHING, "", False, rest)]


def draw(
    view: View,
    card: VillageCard | None,
    place: Place | Extent | None,
    version: str,
    scope: tuple[str, ...],
) -> str | None:
    """Draw the map; return the code of the village in the run that a click on it begins."""
    told: Any = _mount(
        key="village-map-drawn",
        data=_picture(view, card, place, version) | {"scope": scope},
        height="stretch",
        on_picked_change=lambda: None,
    )
    picked = told.get("picked")
    # A circle of counts has no code.
    return picked if isinstance(picked, str) and _CODE.fullmatch(picked) else None


def _picture(
    view: View, card: VillageCard | None, place: Place | Extent | None, version: str
) -> dict[str, object]:
    """Return what the browser draws: where to fetch it, where to look, and the colours."""
    return {
        "page": _PAGE,
        "title": "村庄分布与填报状态地图",
        "tiles": f"/tiles/{view.shown}",
        "version": version,
        "deepest": _DEEPEST_TILES,
        "borders": _BORDERS_URLS,
        "names": _NAMES_URL,
        "lines": _BORDERS,
        "place": asdict(place or _ANYWHERE),
        "least": _LEAST_ZOOM,
        "most": _MOST_ZOOM,
        "colour_by": view.colour_by,
        "colours": {value: colour for value, _, colour in classes_of(view.colour_by)},
        "nothing": NOTHING,
        "circles": _CIRCLES,
        "shades": asdict(_shades()),
        "chosen": None
        if card is None
        else {"code": card.code, "longitude": card.longitude, "latitude": card.latitude},
    }


def place_of(card: VillageCard | None, extent: Extent | None) -> Place | Extent | None:
    """Return where the map looks: at the village that was asked for, else at the whole area."""
    return extent if card is None else Place(card.longitude, card.latitude, _POINT_ZOOM)


def asked_place() -> Place | None:
    """Return where the address looks, None where it does not say or the map does not go."""
    said = _PLACE.fullmatch(st.query_params.get("at", ""))
    if said is None:
        return None
    zoom, latitude, longitude = (float(number) for number in said.groups())
    if not (_LEAST_ZOOM <= zoom <= _MOST_ZOOM and abs(latitude) <= 85 and abs(longitude) <= 180):
        return None
    return Place(longitude, latitude, zoom)


def card_html(card: VillageCard, actor: Actor) -> str:
    """Return the card of a village as HTML: who it is, where it stands, where to go on."""
    kind = SHOWN_WORDS[Shown(card.layer_code)]
    lines = [("代码", card.code), ("所在", card.above or "")]
    if card.layer_code == Shown.VILLAGE:
        lines.append(("自然村", f"{card.natural_villages} 个"))
    else:
        lines.append(("所属行政村", card.village_name))
    lines += _answers(card) if actor.covers(card.division_code) else [("填报", "不在您的数据范围")]
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in lines)
    return f"<h3>{escape(card.name)}<small>{kind}</small></h3><dl>{body}</dl>"


def _answers(card: VillageCard) -> list[tuple[str, str]]:
    state = label(SubmissionState(card.state)) if card.state else "未开始填报"
    tables = words_of(mark(Topic.FORMS))
    told = [("本期填报", state)]
    # What an accepted village leaves empty says something too.
    empty = _EMPTY if card.village_class else {}
    for colour_by, table in _TABLES.items():
        value = getattr(card, colour_by)
        words = tables.get(table, {}).get(value) or value or empty.get(colour_by, "未认定")
        told.append((COLOUR_WORDS[colour_by], str(words)))
    return told
