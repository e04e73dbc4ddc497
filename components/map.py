"""The map of divisions: what colours mean, and layers drawn by URL.

No geometry passes through the script: the browser fetches each layer from its route, and a rerun
sends a few kilobytes of layer descriptions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

import plotly.graph_objects as go
import pydeck
import streamlit as st

from components.labels import label
from data_access.layers import Extent
from domain.overview import Stage, milestone_class, ratio_class
from domain.progress import Lateness, LatenessLimits, UnitProgress

# Each Deck() would try to import Jupyter again.
pydeck.bindings.deck.has_jupyter_extra = lambda: False

PROGRESS_COLOURS = ("#F1EEF6", "#D0D1E6", "#A6BDDB", "#74A9CF", "#2B8CBE", "#045A8D")
LATENESS_COLOURS: Mapping[Lateness, str] = {
    Lateness.ON_TIME: "#E3E9E4",
    Lateness.YELLOW: "#F2C94C",
    Lateness.ORANGE: "#E67E22",
    Lateness.RED: "#B8322A",
    Lateness.UNPLANNED: "#C9CED3",
    Lateness.MERGED: "#E9ECEF",
}
# A shape beside the colour, for eyes that do not tell the colours apart.
LATENESS_SYMBOLS: Mapping[Lateness, str] = {
    Lateness.YELLOW: "△",
    Lateness.ORANGE: "▲",
    Lateness.RED: "◆",
    Lateness.UNPLANNED: "○",
}
NO_DATA = "#EEF1F4"
_RATIO_CLASSES = ("0–19 %", "20–39 %", "40–59 %", "60–79 %", "80–99 %", "100 %")
FONT = "'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"
INK = "#1B2733"
TILE_PIXELS = 512
MARK_PIXELS, CITY_PIXELS, COUNTY_PIXELS = 15, 15, 12
TOOLTIP_STYLE = {
    "backgroundColor": "#1B2733",
    "color": "#FFFFFF",
    "fontSize": "13px",
    "lineHeight": "1.6",
    "borderRadius": "4px",
    "padding": "8px 12px",
}
# Of county, city and province: colour and width in pixels.
_BORDERS = (("#FFFFFF", 0.6), ("#5B6B7A", 1.2), ("#5B6B7A", 2.0))


class ColourBy(StrEnum):
    RATIO = "ratio"
    STAGE = "stage"
    LATENESS = "lateness"


class Level(StrEnum):
    COUNTY = "county"
    CITY = "city"


@dataclass(frozen=True, slots=True)
class Picture:
    """What the map shows: the same fields make its URLs, so equal pictures are fetched once."""

    level: Level
    colour_by: ColourBy
    as_of: date | None
    city: str | None
    kind: str | None
    version: str

    def url(self, layer: str) -> str:
        """Return the address of a layer of this picture."""
        fields = {
            "level": self.level,
            "colour_by": self.colour_by,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "city": self.city,
            "kind": self.kind,
            "v": self.version,
        }
        return f"/api/overview/{layer}?{_query(fields)}"


@dataclass(frozen=True, slots=True)
class Swatch:
    """One entry of the legend."""

    text: str
    colour: str
    symbol: str
    hatched: bool
    count: int


@dataclass(frozen=True, slots=True)
class Palette:
    """How units are coloured: by what, within which limits, by which milestones."""

    colour_by: ColourBy
    limits: LatenessLimits
    milestones: tuple[Stage, ...]

    def class_of(self, unit: UnitProgress) -> str:
        """Return the words of the class that the unit is coloured by."""
        if unit.is_merged:
            return label(Lateness.MERGED)
        if self.colour_by is ColourBy.RATIO:
            return _RATIO_CLASSES[ratio_class(unit.accepted_ratio)]
        if self.colour_by is ColourBy.STAGE:
            return self._stages()[milestone_class(unit.stage_order, self.milestones)]
        return self._lateness_words()[unit.lateness(self.limits)]

    def colour_of(self, unit: UnitProgress) -> str:
        """Return the fill of the unit as #RRGGBB."""
        if unit.is_merged:
            return LATENESS_COLOURS[Lateness.MERGED]
        if self.colour_by is ColourBy.RATIO:
            return PROGRESS_COLOURS[ratio_class(unit.accepted_ratio)]
        if self.colour_by is ColourBy.STAGE:
            return self._stage_colour(milestone_class(unit.stage_order, self.milestones))
        return LATENESS_COLOURS[unit.lateness(self.limits)]

    def symbol_of(self, unit: UnitProgress) -> str:
        """Return the mark of a late unit, '' for all others; lateness shows all marks."""
        lateness = unit.lateness(self.limits)
        if lateness is Lateness.UNPLANNED and self.colour_by is not ColourBy.LATENESS:
            return ""
        return LATENESS_SYMBOLS.get(lateness, "")

    def legend(self, units: Sequence[UnitProgress]) -> list[Swatch]:
        """Return every class with the number of units in it, merged units last."""
        counts: dict[str, int] = {}
        for unit in units:
            counts[self.class_of(unit)] = counts.get(self.class_of(unit), 0) + 1
        merged = label(Lateness.MERGED)
        return [
            *(
                Swatch(text, colour, mark, False, counts.get(text, 0))
                for text, colour, mark in self._classes()
            ),
            Swatch(merged, "#C9CED3", "", True, counts.get(merged, 0)),
        ]

    def _classes(self) -> list[tuple[str, str, str]]:
        if self.colour_by is ColourBy.RATIO:
            return [
                (text, colour, "")
                for text, colour in zip(_RATIO_CLASSES, PROGRESS_COLOURS, strict=True)
            ]
        if self.colour_by is ColourBy.STAGE:
            return [
                (text, self._stage_colour(index), "") for index, text in enumerate(self._stages())
            ]
        return [
            (words, LATENESS_COLOURS[lateness], LATENESS_SYMBOLS.get(lateness, ""))
            for lateness, words in self._lateness_words().items()
            if lateness is not Lateness.MERGED
        ]

    def _stages(self) -> list[str]:
        return ["未启动", *(stage.name for stage in self.milestones)]

    def _stage_colour(self, index: int) -> str:
        last = len(PROGRESS_COLOURS) - 1
        return PROGRESS_COLOURS[round(index * last / max(len(self.milestones), 1))]

    def _lateness_words(self) -> dict[Lateness, str]:
        return {
            Lateness.ON_TIME: label(Lateness.ON_TIME),
            Lateness.YELLOW: f"滞后 ≤ {self.limits.yellow} 天",
            Lateness.ORANGE: f"≤ {self.limits.orange} 天",
            Lateness.RED: f"> {self.limits.orange} 天",
            Lateness.UNPLANNED: label(Lateness.UNPLANNED),
            Lateness.MERGED: label(Lateness.MERGED),
        }


def tooltip_lines(unit: UnitProgress, limits: LatenessLimits) -> dict[str, str]:
    """Return what the tooltip says of a unit: figure, state, since when."""
    if unit.is_merged:
        return {"figure": "并入市级规划", "state": "不单独编制，不计入平均与滞后", "since": ""}
    pending = f"，待认定 {unit.pending_ratio:.0%}" if unit.pending_ratio else ""
    lateness = unit.lateness(limits)
    if lateness is Lateness.UNPLANNED:
        since = "未定计划完成日期"
    elif unit.late_since:
        since = f"“{unit.late_stage_name}”自 {unit.late_since} 起滞后 {unit.late_days} 天"
    else:
        since = "各阶段按期"
    return {
        "figure": f"进度 {percent(unit.accepted_ratio)}{pending}",
        "state": f"已认定至：{unit.stage_name or '尚无'}",
        "since": since,
    }


def percent(ratio: float | None) -> str:
    """Return a ratio 0–1 as a person reads it, 63.5 %, in one piece where a line ends."""
    return "—" if ratio is None else f"{ratio * 100:.1f}\u00a0%"


def deck(picture: Picture, extent: Extent | None, width: int, height: int) -> pydeck.Deck:
    """Return the map of a picture, its view fitted to the extent in a box of pixels."""
    return pydeck.Deck(
        layers=_layers(picture),
        initial_view_state=fit(extent, width, height),
        map_provider=None,
        map_style="/api/style.json",
        tooltip={
            "html": "<b>{name}</b><br>{figure}<br>{state}<br>{since}",
            "style": TOOLTIP_STYLE,
        },
    )


def _layers(picture: Picture) -> list[pydeck.Layer]:
    """Fill (the only one that is picked), hatching, borders, marks, names: bottom to top."""
    city = {} if picture.city is None else {"code": picture.city}
    day = {"as_of": picture.as_of.isoformat() if picture.as_of else None}
    layers = [
        pydeck.Layer(
            "GeoJsonLayer",
            picture.url("units.geojson"),
            id="units",
            pickable=True,
            stroked=False,
            filled=True,
            # Below the layer's own accessor Streamlit would repaint what is selected.
            _sub_layer_props={"polygons-fill": {"getFillColor": "@@=properties.fill"}},
        ),
        _pieces("hatch", picture.url("hatch.json"), rgb("#98A3AD"), 1.0),
        border_layer(picture.level, picture.as_of),
    ]
    if picture.city:
        layers.append(
            _outline(
                f"chosen-{picture.city}", registry_url("city", {**day, **city}), "#0F5C8C", 3.0
            )
        )
    return [*layers, _marks(picture), names_layer(picture)]


def registry_url(layer_code: str, fields: Mapping[str, object]) -> str:
    """Return the address of a whole layer of the registry."""
    query = _query(fields)
    return f"/api/layers/{layer_code}.geojson" + (f"?{query}" if query else "")


def _query(fields: Mapping[str, object]) -> str:
    return urlencode({name: value for name, value in fields.items() if value is not None})


def border_layer(level: Level, as_of: date | None = None) -> pydeck.Layer:
    """Return the borders of a level and those above it, each piece once."""
    asked = {"level": level, "as_of": as_of.isoformat() if as_of else None}
    colour = _by_level([rgb(colour) for colour, _ in _BORDERS])
    width = _by_level([width for _, width in _BORDERS])
    return _pieces("borders", f"/api/borders.json?{_query(asked)}", colour, width)


def _by_level(values: Sequence[object]) -> str:
    """Return the expression of a border's value by its level."""
    county, city, province = values
    return f"level == 2 ? {province} : (level == 1 ? {city} : {county})"


def _pieces(layer_id: str, url: str, colour: str | list[int], width: str | float) -> pydeck.Layer:
    """Return straight lines, `width` in pixels; nobody clicks on them.

    Paths would be some four times the work: twice the pieces, with corners of their own.
    """
    return pydeck.Layer(
        "LineLayer",
        url,
        id=layer_id,
        pickable=False,
        get_source_position="start",
        get_target_position="end",
        get_color=colour,
        get_width=width,
    )


def _outline(layer_id: str, url: str, colour: str, width: float) -> pydeck.Layer:
    """Return the outline of a division, `width` in pixels; nobody clicks on it."""
    return pydeck.Layer(
        "GeoJsonLayer",
        url,
        id=layer_id,
        filled=False,
        stroked=True,
        pickable=False,
        get_line_color=rgb(colour),
        get_line_width=width,
        line_width_units=pydeck.types.String("pixels"),
        line_joint_rounded=True,
    )


def _marks(picture: Picture) -> pydeck.Layer:
    return pydeck.Layer(
        "TextLayer",
        picture.url("marks.json"),
        id="marks",
        pickable=False,
        get_position="position",
        get_text="symbol",
        get_size=MARK_PIXELS,
        get_color=rgb(INK),
        font_family=pydeck.types.String(FONT),
        character_set=pydeck.types.String("auto"),
    )


def names_layer(picture: Picture) -> pydeck.Layer:
    """Names come in tiles: the server leaves out those that would overlap at the tile's zoom."""
    return pydeck.Layer(
        "TileLayer",
        picture.url("names/{z}/{x}/{y}"),
        id="names",
        tile_size=TILE_PIXELS,
        min_zoom=0,
        max_zoom=14,
        pickable=False,
        point_type=pydeck.types.String("text"),
        get_text="properties.name",
        get_text_size="properties.size",
        get_text_color=rgb(INK),
        get_text_pixel_offset="properties.offset",
        text_font_family=pydeck.types.String(FONT),
        text_character_set=pydeck.types.String("auto"),
        # On a dark fill dark letters need a ground of their own.
        text_background=True,
        get_text_background_color=[255, 255, 255, 200],
        text_background_padding=[3, 0, 3, 1],
        _sub_layer_props={"points-text": {"backgroundBorderRadius": 3}},
    )


def rgb(colour: str, alpha: int = 255) -> list[int]:
    """Return #RRGGBB as [red, green, blue, alpha], each 0–255."""
    return [*bytes.fromhex(colour.removeprefix("#")), alpha]


def fit(extent: Extent | None, width: int, height: int) -> pydeck.ViewState:
    """Return the view that shows the extent in a box of pixels."""
    if extent is None:
        return pydeck.ViewState(longitude=0, latitude=0, zoom=1)
    latitude = (extent.south + extent.north) / 2
    degrees_high = (extent.north - extent.south) / math.cos(math.radians(latitude))
    scale = min(width / (extent.east - extent.west), height / degrees_high) * 0.94
    return pydeck.ViewState(
        longitude=(extent.west + extent.east) / 2,
        latitude=latitude,
        zoom=round(math.log2(360 * scale / TILE_PIXELS), 2),
        min_zoom=4,
        max_zoom=14,
    )


def clicked_code(selection: Mapping[str, object]) -> str | None:
    """Return the code of the unit that was clicked, from the chart's selection."""
    objects = selection.get("objects")
    units = objects.get("units") if isinstance(objects, Mapping) else None
    if not units:
        return None
    return str(units[0]["properties"]["code"])


def draw_map(picture: Picture, extent: Extent | None, width: int, height: int) -> str | None:
    """Draw the map; return the code of the unit in the run that clicks it, else None."""
    event = st.pydeck_chart(
        deck(picture, extent, width, height),
        height="stretch",
        key="overview_map",
        on_select="rerun",
        alt="各市县规划编制进度地图",
    )
    return clicked_code(event["selection"])


def draw_flat_map(
    picture: Picture, palette: Palette, units: Sequence[UnitProgress], height: int
) -> str | None:
    """Draw the map of a browser without WebGL; return the code of the unit that is clicked."""
    shown = [unit for unit in units if unit.level == picture.level]
    event = st.plotly_chart(
        flat_map(picture, palette, shown, height),
        key="overview_flat_map",
        on_select="rerun",
        selection_mode="points",
        # Coasts are not drawn; plotly would fetch them from its own site.
        config={"topojsonURL": "/api/topojson/", "displayModeBar": False},
    )
    points = event["selection"]["points"]
    return str(points[0]["location"]) if points else None


def flat_map(
    picture: Picture, palette: Palette, units: Sequence[UnitProgress], height: int
) -> go.Figure:
    """Return a choropleth whose outlines the browser fetches, as the WebGL map does."""
    colours = list(dict.fromkeys(palette.colour_of(unit) for unit in units)) or [NO_DATA]
    last = max(len(colours) - 1, 1)
    lines = [tooltip_lines(unit, palette.limits) for unit in units]
    figure = go.Figure(
        go.Choropleth(
            geojson=picture.url("units.geojson"),
            featureidkey="properties.code",
            locations=[unit.code for unit in units],
            z=[colours.index(palette.colour_of(unit)) for unit in units],
            zmin=0,
            zmax=last,
            colorscale=[[index / last, colour] for index, colour in enumerate(colours)]
            if len(colours) > 1
            else [[0, colours[0]], [1, colours[0]]],
            showscale=False,
            marker={"line": {"color": "#5B6B7A", "width": 0.6}},
            text=[
                f"<b>{unit.name}</b><br>{told['figure']}<br>{told['state']}<br>{told['since']}"
                for unit, told in zip(units, lines, strict=True)
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    figure.update_geos(fitbounds="locations", visible=False, bgcolor="rgba(0,0,0,0)")
    figure.update_layout(
        height=height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, paper_bgcolor="rgba(0,0,0,0)"
    )
    return figure
