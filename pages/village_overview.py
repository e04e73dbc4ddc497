"""村庄评估: how far the villages' evaluation has come, and what it says of them."""

from math import ceil
from pathlib import Path

import streamlit as st

from components import cached, village_list, village_record
from components import village_overview as parts
from components.navigation import REPORTERS
from components.session import page_frame, require_actor
from components.supervision_view import load_styles
from components.url_parameters import number_parameter, set_parameter, take_opened
from components.village_figures import PAGE, address, figure_of
from components.watch import watch
from data_access import village_overview
from data_access.read_replica import read

ASSETS = Path(__file__).parents[1] / "assets"
BY = {"city": "按设区市", "county": "按县（市、区）"}
VILLAGE_DIGITS, NATURAL_DIGITS = 12, 15
BELOW = {"city": "county", "county": "township", "township": ""}

actor = require_actor(*REPORTERS)
load_styles()
st.html(ASSETS / "overview.css")
st.html(ASSETS / "compile_units.css")
st.html(ASSETS / "village_overview.css")
frame = cached.read_frame(actor)
years = cached.village_years(actor, frame.today, frame.version)
if not years:
    page_frame("村庄评估")
    st.info("还没有开放过村庄规划评估的填报期。")
    st.stop()

header = st.container(horizontal=True, vertical_alignment="center", gap="small")
with header:
    title = st.container()
    filters = st.container(
        key="village-overview-filters", horizontal=True, width="content", gap="small"
    )
asked_year = number_parameter("year")
year = next((one for one in years if one.year == asked_year), years[0])
before = next((one for one in years if one.year == year.year - 1), None)
asked_place = st.query_params.get("division", "")
places = cached.village_places(actor, year, asked_place, frame.boundaries)
root = min(places, key=lambda one: (len(one.prefix), one.code))
asked_place = asked_place or root.code
# Of a village and a natural village, whose codes go on from it, the township is the place.
in_village = asked_place.isdigit() and len(asked_place) in (VILLAGE_DIGITS, NATURAL_DIGITS)
record = None
if in_village:
    record = read(
        actor,
        lambda connection: village_overview.find_record(
            connection, year, asked_place[:VILLAGE_DIGITS]
        ),
    )
place = next((one for one in places if one.code == asked_place), root)
if record is not None:
    place = next(
        (one for one in places if one.level == "township" and record.code.startswith(one.prefix)),
        root,
    )
elif place.code != asked_place:
    st.warning("没有这个区划，或不在您的查看范围内，已显示您的全部范围。")
by = BELOW.get(place.level, "county" if st.query_params.get("by") == "county" else "city")
with filters:
    if place.level not in BELOW:
        chosen_by = st.segmented_control(
            "排名", list(BY), default=by, format_func=BY.__getitem__, required=True,
            label_visibility="collapsed", key=f"village-overview-by-{by}",
        )  # fmt: skip
        if chosen_by and chosen_by != by:
            set_parameter("by", chosen_by)
            st.rerun()
    chosen_year = st.selectbox(
        "年度", years, index=years.index(year), format_func=lambda one: one.name,
        label_visibility="collapsed", width=120, key=f"village-overview-year-{year.year}",
    )  # fmt: skip
    if chosen_year.year != year.year:
        set_parameter("year", str(chosen_year.year))
        set_parameter("page", None)
        st.rerun()

standing, form = cached.village_standing(actor, frame, year, before, place, by)
watch(frame.version, key=parts.WATCH, on_open=lambda: take_opened(parts.WATCH, PAGE))
top = {"year": str(year.year)} | ({"by": by} if "by" in st.query_params else {})
keep = top | {"division": place.code}
with title:
    page_frame("村庄评估", f"{year.name}，截止 {parts.deadline(year)}；内容以省级认定为准")
if record is not None:
    natural = read(
        actor,
        lambda connection: village_overview.list_natural_villages(connection, year, record.code),
    )
    known = next((each.name for each in natural if each.code == asked_place), None)
    st.html(village_record.path_html(place, places, known or record.name, top))
    st.html(f'<p class="answer">{village_record.record_sentence(record, year, natural)}</p>')
    village_record.record_links(record, asked_place)
    village_record.record_board(record, natural, form, top, asked_place)
    st.stop()
st.html(parts.path_html(place, places, top))
st.html(f'<p class="answer">{parts.answer_sentence(standing)}</p>')
st.html(parts.figures_html(standing, form, keep))
if standing.parts:
    st.html(parts.ranking_html(standing, top))
st.html(parts.make_up_html(standing, form, keep))

shown = st.query_params.get("show", "unreported" if standing.parts else "asked")
figure = figure_of(shown, standing.now, form)
pages = max(1, ceil(figure.part / village_list.ROWS_OF_PAGE))
page = min(number_parameter("page") or 1, pages)


def villages(skipped: int = 0, most: int | None = None) -> list[village_overview.Village]:
    """Return the villages behind the figure that is shown."""
    key = (year, place.prefix, figure.measure, figure.codes)
    return read(
        actor,
        lambda connection: village_overview.list_villages(
            connection, *key, skipped=skipped, most=most
        ),
    )


heading = f"{place.name}：{figure.title}"
with st.container(horizontal=True, vertical_alignment="center", key="village-overview-records"):
    st.subheader(f"{heading}（{figure.part:,}）", anchor=False, width="stretch")
    if figure.part:
        village_list.download(heading, year, figure, form, villages)
here = keep | {name: st.query_params[name] for name in ("show", "page") if name in st.query_params}
st.html(village_list.ratio_html(figure, keep, address(here)))
if figure.part:
    listed = villages((page - 1) * village_list.ROWS_OF_PAGE, village_list.ROWS_OF_PAGE)
    opened = village_list.village_table(
        listed, form, f"village-overview-{shown}-{place.code}-{page}"
    )
    if pages > 1:
        st.html(village_list.pages_html(page, pages, keep | {"show": shown}))
    if opened is not None:
        set_parameter("division", opened)
        st.rerun()
