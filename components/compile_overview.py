"""The parts of the page of compile units: the answer, figures, load, make-up, one unit."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from urllib.parse import urlencode

import streamlit as st

from components.charts import Bar, bars, figure_card, figure_row, panel
from components.map import percent
from components.url_parameters import choice_parameter, set_parameter, take_opened
from domain.clock import moment
from domain.compile_overview import Load, Standing, loads_of, total_amount
from domain.forms import Form

PAGE = "compile_units"
WATCH = "compile-units-watch"
_MOST_RANKED = 24
_MOST_CITIES = 12
NO_REPORT = "尚无认定的填报"


@dataclass(frozen=True, slots=True)
class Codes:
    """Names of the codes that contracts carry, from the form's own code tables."""

    status: Mapping[str, str]
    grade: Mapping[str, str]
    unit_type: Mapping[str, str]

    @classmethod
    def of(cls, form: Form) -> "Codes":
        return cls(form.codes["HTZT"], form.codes["BZDWZZ"], form.codes["BZDWLX"])


def city_filter(standing: Standing) -> tuple[str | None, dict[str, str]]:
    """Draw the choice of a city where there are several; return it, and what links keep of it."""
    cities = _city_names(standing)
    asked = choice_parameter("city", list(cities))
    if len(cities) > 1:
        with st.container(key="compile-units-filters", horizontal=True, width="content"):
            chosen = st.selectbox(
                "设区市",
                list(cities),
                index=list(cities).index(asked) if asked else None,
                placeholder="全部设区市",
                format_func=cities.__getitem__,
                label_visibility="collapsed",
                width=180,
                key=f"compile-units-city-{asked}",
            )
            clear = ":material/filter_alt_off:"
            if asked and st.button("清除筛选", key="compile-units-clear", icon=clear):
                chosen = None
        if chosen != asked:
            set_parameter("city", chosen)
            st.rerun()
    return asked, {"city": asked} if asked else {}


def _city_names(standing: Standing) -> dict[str, str]:
    names = {unit.code: unit.name for unit in standing.asked if unit.level == "city"}
    counties = (unit for unit in standing.asked if unit.level != "city")
    return names | {unit.parent_code: unit.parent_name for unit in counties}


def narrowed(standing: Standing, city: str | None) -> Standing:
    """Return the figures of one city, itself and its counties; None means all."""
    if city is None:
        return standing
    contracts = tuple(each for each in standing.contracts if each.city_code == city)
    asked = tuple(unit for unit in standing.asked if unit.city_code == city)
    return Standing(asked, contracts, tuple(loads_of(contracts, standing.day)), standing.day)


def money(amount: Decimal | None) -> str:
    """Return an amount in 10,000 yuan as 28,604.5, — for none.

    >>> money(Decimal("28604.50")), money(None)
    ('28,604.5', '—')
    """
    return "—" if amount is None else f"{amount:,.1f}"


def answer_sentence(standing: Standing) -> str:
    """Return where things stand, in one sentence made from the data."""
    asked, contracted = len(standing.asked), len(standing.contracted)
    if not asked:
        return "所选范围内没有填报编制单位信息的单位。"
    if not standing.loads:
        return f"{asked} 个填报单位中还没有经省级认定的签约合同。"
    first = standing.loads[0]
    overdue = len(standing.overdue)
    late = f"{overdue} 个项目已过约定完成日期" if overdue else "没有项目超过约定完成日期"
    begin = f"{asked} 个单位中 {contracted} 个总体规划已签约，{len(standing.in_force)} 个项目由"
    if len(standing.loads) == 1:
        return f"{begin}“{first.party.name}”承担；{late}。"
    return (
        f"{begin} {len(standing.loads)} 家编制单位承担；“{first.party.name}”承担最多"
        f"（{first.units} 个市县、{len(first.contracts)} 个项目）；{late}。"
    )


# FIGURES


def figures_html(standing: Standing, keep: Mapping[str, str]) -> str:
    """Return the five figures, each a link to the records it counts."""
    statuses = standing.statuses()
    asked, contracted = len(standing.asked), len(standing.contracted)
    together = sum(bool(each.is_consortium) for each in standing.in_force)
    overdue, expired = len(standing.overdue), len(standing.expired)
    longest = max((each.overdue_days(standing.day) for each in standing.overdue), default=0)
    cards = [
        ("contracted", "总体规划已签约", f"{contracted} / {asked}",
         f"未签约 {asked - contracted - statuses['']} · 未认定 {statuses['']}", False),
        ("projects", "承担单位", f"{len(standing.loads)} 家",
         f"{len(standing.in_force)} 个项目 · 联合体 {together} 个", False),
        ("projects", "合同金额", f"{money(total_amount(standing.in_force))} 万元",
         f"中位数 {money(standing.median_amount)} 万元", False),
        ("overdue", "逾期项目", f"{overdue}",
         f"最长 {longest} 天" if overdue else "没有逾期项目", overdue > 0),
        ("expired", "资质已过期", f"{expired} 家",
         "仍承担已签约项目" if expired else "没有资质过期的单位", False),
    ]  # fmt: skip
    return figure_row(
        figure_card(name, value, note, address({**keep, "show": shown}), alarming=alarming)
        for shown, name, value, note, alarming in cards
    )


def address(query: Mapping[str, str]) -> str:
    """Return the address of this page with what it is to show."""
    return f"{PAGE}?{urlencode(query)}" if query else PAGE


# CHARTS


def ranking_html(standing: Standing, keep: Mapping[str, str]) -> str:
    """Return who carries how much: a few compile units serve many counties."""
    most = max((load.units for load in standing.loads), default=1)
    rows = [
        Bar(
            name=load.party.name,
            share=load.units / most,
            pending=0.0,
            figures=(
                f"{load.units}",
                f"{len(load.contracts)}",
                money(load.amount),
                percent(load.mean_ratio),
                f"{load.overdue}",
            ),
            opens=address({**keep, "unit": load.party.uscc}),
        )
        for load in standing.loads[:_MOST_RANKED]
    ]
    shown = f"前 {len(rows)} 家，" if len(rows) < len(standing.loads) else ""
    note = f"{shown}共 {len(standing.loads)} 家；金额按牵头合同计"
    heads = ("编制单位", "", "市县", "项目", "金额（万元）", "平均进度", "逾期")
    return panel("承担量", note, bars(rows, heads, "load") if rows else _nothing())


def make_up_html(standing: Standing, codes: Codes, keep: Mapping[str, str]) -> str:
    """Return the states of the master plans' contracts, and who the compile units are."""
    return (
        f'<div class="make-up">{_status_panel(standing, codes, keep)}'
        f"{_parties_panel('资质构成', standing, codes.grade, lambda each: each.party.grade)}"
        f"{_parties_panel('单位类型', standing, codes.unit_type, _type_of)}"
        "</div>"
    )


def _type_of(load: Load) -> str:
    return load.party.unit_type


def _status_panel(standing: Standing, codes: Codes, keep: Mapping[str, str]) -> str:
    counts = standing.statuses()
    names = {**codes.status, "": NO_REPORT}
    rows = [
        Bar(
            name=name,
            share=counts[code] / max(len(standing.asked), 1),
            pending=0.0,
            figures=(f"{counts[code]}",),
            opens=address({**keep, "status": code}) if code else "",
        )
        for code, name in names.items()
        if counts[code]
    ]
    return panel("总体规划合同状态", "单位数", bars(rows, ("", "", ""), "part"))


def _parties_panel(
    title: str, standing: Standing, names: Mapping[str, str], key: Callable[[Load], str]
) -> str:
    units = Counter(key(load) for load in standing.loads)
    projects = Counter(key(load) for load in standing.loads for _ in load.contracts)
    rows = [
        Bar(
            name=name.partition("(")[0],
            share=units[code] / max(len(standing.loads), 1),
            pending=0.0,
            figures=(f"{units[code]}", f"{projects[code]}"),
        )
        for code, name in names.items()
        if units[code]
    ]
    if not rows:
        return panel(title, "", _nothing())
    return panel(title, "", bars(rows, ("", "", "家数", "项目"), "part"))


def cities_html(standing: Standing, keep: Mapping[str, str]) -> str:
    """Return the amounts by city, each with its counties."""
    names = _city_names(standing)
    amounts = {
        code: total_amount(each for each in standing.in_force if each.city_code == code)
        for code in names
    }
    most = max([*amounts.values(), Decimal(1)])
    rows = [
        Bar(
            name=names[code],
            share=float(amounts[code] / most),
            pending=0.0,
            figures=(
                f"{sum(unit.city_code == code for unit in standing.contracted)}"
                f"/{sum(unit.city_code == code for unit in standing.asked)}",
                f"{sum(each.city_code == code for each in standing.in_force)}",
                money(amounts[code]),
            ),
            opens=address({**keep, "city": code}),
        )
        for code in sorted(names, key=lambda code: -amounts[code])[:_MOST_CITIES]
    ]
    heads = ("设区市", "", "已签约", "项目", "金额（万元）")
    return panel("各市合同金额", "含所辖县", bars(rows, heads, "load") if rows else _nothing())


def _nothing() -> str:
    return f'<p class="nothing">{NO_REPORT}，认定后在此列出。</p>'


# ONE COMPILE UNIT


def institute_html(load: Load, codes: Codes) -> str:
    """Return what one compile unit is and carries."""
    party = load.party
    valid = f"{party.cert_valid:%Y-%m-%d}" if party.cert_valid else "—"
    expired = "（已过期）" if load.has_expired else ""
    facts = "　".join(
        (
            f"统一社会信用代码 {party.uscc}",
            codes.unit_type.get(party.unit_type, "—"),
            f"资质 {codes.grade.get(party.grade, '—')}，有效期至 {valid}{expired}",
            f"注册地 {party.province or '—'}",
        )
    )
    led = sum(each.unit1_uscc == party.uscc for each in load.contracts)
    latest = max(load.contracts, key=lambda each: each.accepted_at)
    cells = (
        ("服务市县", f"{load.units} 个"),
        ("承担项目", f"{len(load.contracts)} 个", f"其中牵头 {led} 个"),
        ("牵头合同金额", f"{money(load.amount)} 万元"),
        ("平均编制进度", percent(load.mean_ratio)),
        ("逾期项目", f"{load.overdue} 个"),
    )
    cards = "".join(
        f'<div class="unit-card"><div class="name">{name}</div>'
        f'<div class="value">{value}</div><div class="name">{"".join(more)}</div></div>'
        for name, value, *more in cells
    )
    return (
        f'<p class="answer">{escape(_institute_sentence(load))}</p>'
        f'<p class="institute">{escape(facts)}</p><div class="unit-cards">{cards}</div>'
        f'<p class="institute">最近认定 {moment(latest.accepted_at)}，'
        f"依据{escape(latest.unit_name)}的填报（回执 {escape(latest.receipt_no)}）。</p>"
    )


def _institute_sentence(load: Load) -> str:
    late = f"，其中 {load.overdue} 个已过约定完成日期" if load.overdue else "，没有逾期"
    return f"在 {load.units} 个市县承担 {len(load.contracts)} 个已签约项目{late}。"


# LINKS


def take_link(key: str) -> None:
    """Take what an opened link of this page asks into the address, before anything is drawn."""
    take_opened(key, PAGE)
