"""A briefing: what a leader takes away from a dashboard, as plain parts of a document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a briefing: each column has its share of the width, and may hold figures."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[bool, ...]
    widths: tuple[int, ...]
    empty: str = ""
    """The sentence that stands where there are no rows."""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A class of the map: its words, its colour as #RRGGBB, how many units it holds."""

    text: str
    colour: str
    count: int


@dataclass(frozen=True, slots=True)
class MapShape:
    """A division on the map: its outline as GeoJSON (EPSG:4490), its fill, the mark upon it."""

    outline: str
    colour: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class MapName:
    """A name at a place, in degrees of EPSG:4490."""

    text: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class MapDrawing:
    """What a map shows: filled divisions, lines upon them (GeoJSON, EPSG:4490), names on top."""

    shapes: tuple[MapShape, ...]
    borders: tuple[str, ...] = ()
    names: tuple[MapName, ...] = ()


@dataclass(frozen=True, slots=True)
class Briefing:
    """The parts of the document in their order; every text is as a person reads it."""

    title: str
    lines: tuple[str, ...]
    """Under the title: the moment, the period, what the units were filtered by."""
    answer: str
    figures: Table
    map_title: str
    drawing: MapDrawing
    legend: tuple[LegendEntry, ...]
    tables: tuple[Table, ...]
    sources: tuple[str, ...]
    """Where the figures come from, and what they leave out."""
    is_demo: bool
