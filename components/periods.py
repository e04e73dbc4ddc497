"""Running a reporting period: the figures, who has not filed, opening and closing."""

from collections.abc import Sequence
from datetime import date, datetime

import streamlit as st

from components.labels import label
from components.sentences import day_text, percent
from components.session import errors_shown
from components.supervision import action_button, finish, forget_outcome, outcome_shown
from components.url_parameters import choice_parameter, set_parameter
from data_access import periods, township_review
from data_access.database import transaction
from data_access.periods import AreaFiling, Extension, Filing, Rhythm, filing_figures
from data_access.reporting import ReportingPeriod
from domain.access import Actor
from domain.clock import BEIJING, moment, today
from domain.periods import last_month, period_name, period_start
from domain.progress import PeriodState, Share
from domain.sampling import SampleRule

_MISSING = "未报和退回"
_ALL = "全部单位"
_EACH = "乡镇（县级初审）或县（设区市、省级审核）"


def period_sentence(period: ReportingPeriod, filings: Sequence[Filing], now: datetime) -> str:
    """Return where the period stands: how many have filed, how long is left."""
    filed = sum(filing.is_filed for filing in filings)
    missing = len(filings) - filed
    if period.closed_at is not None:
        return (
            f"**{period.name}填报期已于 {moment(period.closed_at)} 关闭：**"
            f"{len(filings)} 个单位中 {filed} 个已报送，{missing} 个未报送。"
        )
    days = (period.deadline_at.astimezone(BEIJING).date() - now.astimezone(BEIJING).date()).days
    left = f"还有 {days} 天" if days > 0 else ("今日截止" if not days else f"已截止 {-days} 天")
    return (
        f"**{period.name}：{len(filings)} 个单位中 {filed} 个已报送，{missing} 个未报送**"
        f"（截止 {moment(period.deadline_at)}，{left}）。"
    )


def area_list(
    actor: Actor, period: ReportingPeriod, areas: Sequence[AreaFiling], now: datetime
) -> None:
    """Draw how far each county is, of a form filed from above; offer to close the period."""
    units, filed = sum(area.units for area in areas), sum(area.filed for area in areas)
    days = (period.deadline_at.astimezone(BEIJING).date() - now.astimezone(BEIJING).date()).days
    left = f"还有 {days} 天" if days > 0 else ("今日截止" if not days else f"已截止 {-days} 天")
    st.markdown(
        f"**{period.name}：{units:,} 个村中 {filed:,} 个已报送，{units - filed:,} 个未报送**"
        f"（截止 {moment(period.deadline_at)}，{left}）。"
    )
    st.dataframe(
        [
            {
                "县（市、区）": area.name,
                "设区市": area.parent_name,
                "村数": area.units,
                "已报送": area.filed,
                "退回待改": area.returned,
                "完整率": 100 * area.filed / area.units,
            }
            for area in areas
        ],
        column_config={"完整率": st.column_config.NumberColumn(format="%.1f %%")},
        hide_index=True,
        key=f"periods-areas-{period.period_id}",
        height=460,
    )
    with transaction(actor, read_only=True) as connection:
        rule = township_review.find_rule(connection, period.period_id)
    st.markdown(f"审核抽样：{sample_words(rule)}。批量通过一个乡镇前，审核人须逐份看完抽中的村。")
    if period.closed_at is not None:
        return
    with st.container(horizontal=True, gap="small"):
        if st.button("调整抽样", key="periods-sample", icon=":material/casino:"):
            sample_dialog(actor, period, rule)
        if st.button("关闭填报期", key="periods-close", icon=":material/lock:"):
            close_dialog(actor, period, units - filed)


def sample_words(rule: SampleRule | None, each: str = _EACH) -> str:
    """Return the sample that a period asks for, of each such area, as a person reads it."""
    if rule is None:
        return "本期不抽样"
    assumed = "（默认值，规划局尚未确认）" if rule.is_assumed else ""
    return f"每个{each} {rule.percent}%，至少 {rule.least} 个{assumed}"


@st.dialog("调整审核抽样", on_dismiss=forget_outcome)
def sample_dialog(actor: Actor, period: ReportingPeriod, rule: SampleRule | None) -> None:
    """Let the actor change how many villages are looked at before a township is accepted."""
    if outcome_shown():
        return
    key = f"periods-sample-{period.period_id}"
    is_drawn = st.toggle("批量通过前须抽样查看", value=rule is not None, key=f"{key}-on")
    known = rule or SampleRule(percent=5, least=2)
    percent_of_villages = st.number_input(
        "抽样的比例（%）", value=known.percent, step=1, key=f"{key}-percent"
    )
    least = st.number_input("至少抽中（个村）", value=known.least, step=1, key=f"{key}-least")
    if rule and rule.is_assumed:
        st.caption("现为默认值，尚未确认；按原数保存即为确认。")
    st.caption("县级初审在每个乡镇抽样，设区市和省级审核在每个县（市、区）抽样。")
    st.caption("已经抽出的样本不变；改动只用于此后的抽样，并写入审计日志。")
    if action_button("保存", "periods-sample-send"):
        asked = SampleRule(int(percent_of_villages), int(least)) if is_drawn else None
        with errors_shown():
            with transaction(actor, action="reporting_period.sample") as connection:
                township_review.set_rule(connection, actor, period.period_id, asked)
            finish(f"{period.name}的审核抽样已改为：{sample_words(asked)}。")


def figures(filings: Sequence[Filing]) -> None:
    """Draw the counts of the period; completeness and timeliness are those of the overview."""
    counted = filing_figures(filings)
    cells = [
        ("完整率", _share(counted.completeness)),
        ("及时率", _share(counted.timeliness)),
        ("本期无变化", f"{counted.no_change} 个"),
        ("退回待改", f"{counted.returned} 个"),
        ("延期单位", f"{counted.extended} 个"),
    ]
    cards = "".join(
        f'<div class="unit-card"><div class="name">{name}</div>'
        f'<div class="value">{value}</div></div>'
        for name, value in cells
    )
    st.html(f'<div class="unit-cards">{cards}</div>')


def _share(share: Share) -> str:
    if share.ratio is None:
        return "—"
    return f"{percent(share.ratio)} <small>{share.numerator} / {share.denominator}</small>"


def choose_filings(
    filings: Sequence[Filing], period: ReportingPeriod, now: datetime
) -> list[Filing]:
    """Draw who has filed and who has not, filtered by the address; return the chosen units."""
    cities = sorted({filing.parent_name for filing in filings if filing.level == "county"})
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        state = _choice("状态", "state", [_MISSING, *(label(each) for each in PeriodState), _ALL])
        city = _choice("设区市", "city", ["全部", *cities])
    rows = [each for each in filings if _passes(each, state, city)]
    if not rows:
        st.success("没有符合条件的单位。" if state != _MISSING else "各单位均已报送。")
        return []
    chosen = st.dataframe(
        [_row(each, now) for each in rows],
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"periods-table-{period.period_id}-{state}-{city}-{len(rows)}",
        height=min(38 + 35 * len(rows), 460),
    )
    return [rows[number] for number in chosen["selection"]["rows"] if number < len(rows)]


def _choice(caption: str, parameter: str, options: list[str]) -> str:
    asked = choice_parameter(parameter, options) or options[0]
    chosen = st.selectbox(
        caption, options, options.index(asked), key=f"periods-{parameter}-{asked}", width=160
    )
    if chosen != asked:
        set_parameter(parameter, chosen if chosen != options[0] else None)
        st.rerun()
    return asked


def _passes(filing: Filing, state: str, city: str) -> bool:
    if city != "全部" and city not in (filing.parent_name, filing.name):
        return False
    if state == _MISSING:
        return not filing.is_filed
    return state in (_ALL, label(filing.period_state))


def _row(filing: Filing, now: datetime) -> dict[str, str]:
    late = not filing.is_filed and now > filing.deadline_at
    days = (now.astimezone(BEIJING).date() - filing.deadline_at.astimezone(BEIJING).date()).days
    return {
        "单位": filing.name,
        "上级": filing.parent_name,
        "类型": filing.kind,
        "状态": label(filing.period_state) + ("（无变化）" if filing.no_change else ""),
        "报送时间": _stamp(filing.submitted_at),
        "截止": _stamp(filing.deadline_at) + ("（延期）" if filing.is_extended else ""),
        "逾期": f"{max(days, 1)} 天" if late else ("逾期报送" if _late(filing) else "—"),
        "最近催报": _stamp(filing.reminded_at),
    }


def _late(filing: Filing) -> bool:
    return filing.is_filed and not filing.on_time


def _stamp(at: datetime | None) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}" if at else "—"


def extension_list(extensions: Sequence[Extension]) -> None:
    """Draw the extensions of the period with their reasons."""
    if not extensions:
        return
    st.subheader("延期记录", anchor=False)
    st.dataframe(
        [
            {
                "单位": each.division_name,
                "延至": _stamp(each.deadline_at),
                "理由": each.reason,
                "批准人": each.granted_by_name,
                "批准时间": _stamp(each.granted_at),
            }
            for each in extensions
        ],
        hide_index=True,
        key="periods-extensions",
    )


@st.dialog("开启填报期", on_dismiss=forget_outcome)
def open_dialog(actor: Actor, rhythm: Rhythm, day: date) -> None:
    """Let the actor open the period that holds a day; the deadline is prefilled."""
    if outcome_shown():
        return
    months = rhythm.period_months
    chosen = st.date_input("所在日期（取所在填报期）", day, format="YYYY-MM-DD", key="periods-day")
    first = period_start(chosen, months)
    with transaction(actor, read_only=True) as connection:
        default = periods.default_deadline(connection, last_month(first, months))
    deadline = st.date_input(
        "报送截止日（含当日）", default, format="YYYY-MM-DD", key=f"periods-deadline-{first}"
    )
    name = period_name(first, months)
    st.caption(f"开启后，{name}{rhythm.title}填报期对全部填报单位生效，并向各单位发送通知。")
    if action_button("开启", "periods-open-send"):
        due = day_text(deadline, today())
        with errors_shown():
            with transaction(actor, action="reporting_period.open") as connection:
                periods.open_period(
                    connection, actor, rhythm.form_code, first, deadline, name=name,
                    notice=f"{name}{rhythm.title}填报已开启，请于 {due}前报送。",
                )  # fmt: skip
            finish(f"已开启{name}{rhythm.title}填报期，截止 {due}，已通知各填报单位。")


@st.dialog("关闭填报期", on_dismiss=forget_outcome)
def close_dialog(actor: Actor, period: ReportingPeriod, missing: int) -> None:
    """Ask before closing a period that units have not filed in."""
    if outcome_shown():
        return
    st.markdown(
        f"关闭 **{period.name}** 填报期后不再催报和延期。"
        + (f"目前还有 **{missing} 个单位未报送**。" if missing else "各单位均已报送。")
    )
    if action_button("确认关闭", "periods-close-send"):
        with errors_shown():
            with transaction(actor, action="reporting_period.close") as connection:
                periods.close_period(connection, actor, period.period_id)
            finish(f"{period.name}填报期已关闭。")
