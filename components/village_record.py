"""One village of the overview: what was accepted of it and of each of its natural villages."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from components.charts import link
from components.labels import label
from components.links import page_path
from components.map import percent
from components.village_figures import address
from data_access.village_overview import NaturalVillage, Record, Year
from domain.form_texts import text_of
from domain.forms import FORM_GROUP, Field, Form, path_of
from domain.village_overview import Place
from domain.workflow import SubmissionState

_GROUP = "natural_village"
_DEGREE = "°"
_COLUMNS = (
    "natural_class",
    "households",
    "hukou_pop",
    "resident_pop",
    "geohazard_points",
    "flood_risk",
)


def record_sentence(record: Record, year: Year, natural: Sequence[NaturalVillage]) -> str:
    """Return where the village stands in the year, and how many natural villages are accepted."""
    state = label(SubmissionState(record.state)) if record.state else "未报"
    accepted = sum(each.facts is not None for each in natural)
    ratio = f"（{percent(accepted / len(natural))}）" if natural else ""
    return (
        f"{record.name} {year.name}评估{state}；"
        f"{len(natural)} 个自然村中 {accepted} 个已认定{ratio}。"
    )


def path_html(above: Place, places: Sequence[Place], name: str, keep: Mapping[str, str]) -> str:
    """Return the way from the top of the actor's scope to a village, each division a link."""
    steps = sorted(
        (one for one in places if above.prefix.startswith(one.prefix)),
        key=lambda one: len(one.prefix),
    )
    links = [link(address({**keep, "division": one.code}), escape(one.name)) for one in steps]
    return f'<p class="path">{" › ".join([*links, f"<b>{escape(name)}</b>"])}</p>'


def facts_html(facts: Mapping[str, object], form: Form, group: str) -> str:
    """Return every field that says something, by the sections of the form."""
    sections: dict[str, list[str]] = {}
    for item in form.fields_of(group):
        value = facts.get(item.code)
        if value not in (None, "") and item.sensitivity == "open":
            text = _text(form, item, value)
            if item.unit:
                text = f"{text}{'' if item.unit == _DEGREE else ' '}{item.unit}"
            line = f"<tr><th>{escape(item.label)}</th><td>{escape(text)}</td></tr>"
            sections.setdefault(item.section, []).append(line)
    drawn = "".join(
        f'<section class="panel"><h3>{escape(name)}</h3><table class="facts">{"".join(lines)}'
        "</table></section>"
        for name, lines in sections.items()
    )
    return f'<div class="make-up record">{drawn}</div>'


def natural_html(
    natural: Sequence[NaturalVillage], form: Form, keep: Mapping[str, str], chosen: str
) -> str:
    """Return the natural villages as a table, each a link to its own record."""
    items = [item for item in form.fields_of(_GROUP) if item.code in _COLUMNS]
    heads = "".join(f"<th{_side(item)}>{escape(_head(item))}</th>" for item in items)
    rows = "".join(_row(each, items, form, keep, chosen) for each in natural)
    return (
        '<table class="natural"><thead><tr><th>自然村</th><th>代码</th>'
        f"{heads}<th></th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _row(
    each: NaturalVillage,
    items: Sequence[Field],
    form: Form,
    keep: Mapping[str, str],
    chosen: str,
) -> str:
    name = link(address({**keep, "division": each.code}), escape(each.name))
    facts = each.facts or {}
    cells = "".join(
        f'<td{_side(item)} data-head="{escape(_head(item))}">'
        f"{escape(_text(form, item, facts.get(item.code)))}</td>"
        for item in items
    )
    note = "" if each.facts else "未认定"
    mark = ' class="chosen"' if each.code == chosen else ""
    return f"<tr{mark}><td>{name}</td><td>{each.code}</td>{cells}<td>{note}</td></tr>"


def _text(form: Form, item: Field, value: object) -> str:
    is_amount = bool(item.unit) and isinstance(value, int | float) and item.unit != _DEGREE
    return f"{value:,}" if is_amount else text_of(form, path_of(item.group, "", item.code), value)


def _side(item: Field) -> str:
    """Return the class of a column of words, which stand left; numbers stand right."""
    return "" if item.unit else ' class="word"'


def _head(item: Field) -> str:
    return f"{item.label}（{item.unit}）" if item.unit else item.label


def record_links(record: Record, chosen: str) -> None:
    """Draw the ways to the report and to the map."""
    with st.container(horizontal=True, gap="small"):
        if record.submission_id and record.state != "draft":
            st.page_link(
                page_path("submission"),
                label="查看填报",
                icon=":material/description:",
                query_params={"id": str(record.submission_id)},
            )
        shown = {"shown": "natural_village"} if len(chosen) > len(record.code) else {}
        st.page_link(
            page_path("village_map"),
            label="在地图上查看",
            icon=":material/map:",
            query_params={"code": chosen, **shown},
        )


def record_board(
    record: Record,
    natural: Sequence[NaturalVillage],
    form: Form,
    keep: Mapping[str, str],
    chosen: str,
) -> None:
    """Draw a village's record and its natural villages; of a chosen one its own record first."""
    found = next((each for each in natural if each.code == chosen), None)
    if found is not None:
        st.subheader(f"自然村：{found.name}", anchor=False)
        if found.facts:
            st.html(facts_html(found.facts, form, _GROUP))
        else:
            st.info(f"{found.name} 本年还没有经省级认定的评估。")
    st.subheader(f"自然村（{len(natural)}）", anchor=False)
    if natural:
        st.html(natural_html(natural, form, keep, chosen))
    else:
        st.caption("本村没有登记的自然村。")
    if found is not None:
        return
    st.subheader("认定内容", anchor=False)
    if record.facts:
        st.html(facts_html(record.facts, form, FORM_GROUP))
    else:
        st.info("本年还没有经省级认定的评估，认定后在此列出。")
