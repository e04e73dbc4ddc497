"""Inputs for the value of a setting: one widget for each part of it, none asks for JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from data_access.portal_settings import PortalSetting

# The parts of structured settings, as a person calls them.
PARTS = {
    "yellow": "黄：不超过（天）",
    "orange": "橙：不超过（天）",
    "city": "设区市",
    "county": "县（市、区）",
    "percent": "抽样比例（%）",
    "least": "至少抽中（个村）",
    "change_percent": "比上年变化超过（%）",
    "quartile_percent": "正常范围：四分位之外再放宽四分位距的（%）",
    "least_villages": "少于几个村改用全县",
    "discrepancy_percent": "相差超过（%）",
}


class Unreadable(ValueError):
    """What was typed is no value of the setting's kind; the text says what was typed."""


def setting_input(
    setting: PortalSetting, key: str, plan_types: Mapping[str, str], fields: Mapping[str, str]
) -> object:
    """Draw the inputs of a setting; return what stands in them, for `read`.

    `plan_types` and `fields` are code to name.
    """
    value = setting.value
    if isinstance(value, bool):
        return st.toggle("开启", value=value, key=f"{key}-value")
    if isinstance(value, dict):
        with st.container(horizontal=True):
            return {
                part: _part_input(part, of_part, f"{key}-{part}", plan_types)
                for part, of_part in sorted(value.items(), key=_place)
            }
    if isinstance(value, list):
        return _list_input(setting.description, value, f"{key}-value", fields)
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return st.text_input(
        setting.description, value=shown, key=f"{key}-value", label_visibility="collapsed"
    )


def _place(part: tuple[str, object]) -> int:
    """Return where a part stands among the others: as PARTS names them, unknown ones last."""
    return [*PARTS, part[0]].index(part[0])


def _list_input(
    words: str, value: Sequence[str], key: str, fields: Mapping[str, str]
) -> str | list[str]:
    """Draw fields as a choice among them, other texts as one a line."""
    if value and set(value) <= fields.keys():
        return _choices(words, value, key, fields, label_visibility="collapsed")
    return st.text_area(
        words, value="\n".join(value), key=key, label_visibility="collapsed",
        help="每行一条",
    )  # fmt: skip


def _choices(
    words: str,
    value: Sequence[str],
    key: str,
    names: Mapping[str, str],
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> list[str]:
    return st.multiselect(
        words,
        list(dict.fromkeys([*names, *value])),
        default=value,
        format_func=lambda code: names.get(code, code),
        key=key,
        placeholder="可选多项",
        label_visibility=label_visibility,
    )


def _part_input(name: str, value: object, key: str, plan_types: Mapping[str, str]) -> object:
    words = PARTS.get(name, name)
    if isinstance(value, list):
        return _choices(words, value, key, plan_types)
    if isinstance(value, str) and value in plan_types:
        codes = list(plan_types)
        return st.selectbox(
            words,
            codes,
            index=codes.index(value),
            format_func=lambda code: plan_types.get(code, code),
            key=key,
        )
    return st.text_input(words, value=str(value), key=key)


def read(typed: object, old: object) -> object:
    """Return what was typed as a value of the old one's kind; raise Unreadable.

    >>> read({"yellow": "15", "orange": "45"}, {"yellow": 10, "orange": 30})
    {'yellow': 15, 'orange': 45}
    >>> read("材料不全。\\n\\n 日期不符。", ["材料不全。"])
    ['材料不全。', '日期不符。']
    """
    if isinstance(typed, dict) and isinstance(old, dict):
        return {part: read(of_part, old[part]) for part, of_part in typed.items()}
    if not isinstance(typed, str) or isinstance(old, str):
        return typed
    if isinstance(old, list):
        return [line.strip() for line in typed.splitlines() if line.strip()]
    try:
        return json.loads(typed)
    except ValueError:
        raise Unreadable(typed) from None
