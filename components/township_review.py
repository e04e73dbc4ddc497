"""The page of townships: where each stands, what stands out in a village, the random sample."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from components.charts import link
from components.labels import label
from components.periods import sample_words
from components.session import errors_shown
from components.village_map import where_lies
from data_access import review_sample, township_review
from data_access.database import transaction
from data_access.reporting import ReportingPeriod, Submission
from data_access.review_sample import Draw, Sampled
from data_access.township_review import PARTS, Area, Desk, Outlier, Place, Signs
from data_access.village_form import FORM_CODE
from domain.access import Actor
from domain.clock import BEIJING, moment, now, today
from domain.review_filter import ODD, SAMPLED, UNSEEN, QueueFilter
from domain.workflow import SubmissionState

PAGE = "township_review"
WATCH = "township-review-watch"
_PARTS = {"province": "设区市", "city": "县（市、区）", "county": "乡镇"}
_LISTED = ("county", "township")
_EACH = {"township": "乡镇", "county": "县（市、区）"}
DERIVED = {"per_capita_construction": ("人均建设用地", "平方米")}
_NOTHING = "—"


# WORDS


def describe_signs(signs: Signs, outliers: Sequence[Outlier]) -> dict[str, Any]:
    """Return what the list shows of a village, in words."""
    missing = None if signs.required is None else signs.required - (signs.answered or 0)
    return {
        "drawn": signs.is_drawn,
        "sample": ("抽中，已看" if signs.is_seen else "抽中，待看") if signs.is_sampled else None,
        "seen_by_me": signs.is_seen,
        "answers": percent_of(signs.answered, signs.required),
        "unanswered": missing,
        "odd": [outlier_words(each) for each in outliers],
    }


def outlier_words(outlier: Outlier) -> str:
    """Return why a value stands out: 户籍人口 1,620 人，比上年 1,000 人多 62%."""
    name, unit = DERIVED.get(outlier.field_code, (outlier.label or outlier.field_code, ""))
    unit = outlier.unit or unit
    amount = f"{name} {number_text(outlier.amount)} {unit}".rstrip()
    if outlier.kind == "change":
        change = (outlier.amount - outlier.reference) / abs(outlier.reference)
        more = "多" if change > 0 else "少"
        before = f"{number_text(outlier.reference)} {unit}".rstrip()
        return f"{amount}，比上年 {before}{more} {abs(change):.0%}"
    where = "本乡镇" if len(outlier.area) > len("000000") else "全县"
    side = "高于" if outlier.kind == "high" else "低于"
    fence = number_text(round(outlier.reference, 2))
    return f"{amount}，{side}{where} {outlier.villages} 村的正常范围（{fence}）"


def number_text(amount: Decimal) -> str:
    """Return a number with thousands separated and no needless zeros.

    >>> number_text(Decimal("1620.500"))
    '1,620.5'
    """
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent_of(part: int | None, whole: int | None) -> str | None:
    """Return a share, never rounded up to a whole that it is not; None where nothing was counted.

    >>> percent_of(999, 1000), percent_of(1000, 1000), percent_of(None, None)
    ('99\xa0%', '100\xa0%', None)
    """
    return f"{part * 100 // whole}\u00a0%" if part is not None and whole else None


def days_words(area: Area) -> str:
    """Return how long the reviewer still has for what waits there, the nearest report first."""
    if area.due_on is None:
        return _NOTHING
    days = (area.due_on - today()).days
    return f"超期 {-days} 天" if days < 0 else "今日到期" if not days else f"{days} 天"


def desk_sentence(place: Place, desk: Desk, whole: Area) -> str:
    """Return what waits for the reviewer in a place, and what stands before a bulk acceptance."""
    if not whole.waiting:
        return f"{place.name}目前没有等待{desk.step.name}的村。"
    late = f"，其中 {whole.overdue:,} 个已超过办理期限" if whole.overdue else ""
    text = f"{place.name}有 {whole.waiting:,} 个村等待{desk.step.name}{late}"
    if desk.rule is None:
        return f"{text}。本期不抽样。"
    if whole.undrawn:
        return f"{text}；{whole.undrawn:,} 个还没有抽样。"
    open_ = whole.sampled - whole.looked
    if open_:
        return f"{text}；抽中的 {whole.sampled:,} 个村中还有 {open_:,} 个待看。"
    return f"{text}；抽中的 {whole.sampled:,} 个村都已看过，可以批量通过。"


def rule_words(desk: Desk) -> str:
    """Return what the period asks for, and until when."""
    days = (desk.period.deadline_at.astimezone(BEIJING).date() - now().date()).days
    left = f"还有 {days} 天" if days > 0 else "今日截止" if not days else f"已截止 {-days} 天"
    asked = sample_words(desk.rule, _EACH[desk.sampled_by[0]])
    return f"{desk.period.name}，报送{left}；抽样：{asked}"


def village_notes(actor: Actor, submission: Submission) -> None:
    """Say what stands out in a village; write down that its reviewer opened a sampled one."""
    if submission.form_code != FORM_CODE:
        return
    number, version = submission.submission_id, submission.version_no
    with transaction(actor, action="sample.look") as connection:
        review_sample.note_look(connection, actor, number, version)
        signs = township_review.list_signs(connection, actor, [number])[number]
        odd = township_review.list_outliers(
            connection, submission.period_id, submission.division_code, [number]
        )
    if signs.is_sampled:
        st.info("本村已抽中，须逐份查看；您已打开本版，已记录。", icon=":material/casino:")
    if number in odd:
        words = "；".join(outlier_words(each) for each in odd[number])
        st.warning(f"异常值：{words}。请核实，确属实情的可以通过。")


# PLACES


def query_of(desk: Desk, prefix: str) -> dict[str, str]:
    """Return the parameters of this page's address for a place."""
    return {
        "period": str(desk.period.period_id),
        "step": str(desk.step.step_no),
        "unit": prefix,
    }


def address(desk: Desk, prefix: str, **asked: str) -> str:
    """Return the address of a place on this page, with what is asked of its list."""
    return f"{PAGE}?{urlencode(query_of(desk, prefix) | asked)}"


def path_html(desk: Desk, above: Sequence[Place]) -> str:
    """Return the way down to the place that is shown, each step a link."""
    *wider, here = above
    links = [link(address(desk, place.prefix), escape(place.name)) for place in wider]
    return f'<p class="path">{" › ".join([*links, f"<b>{escape(here.name)}</b>"])}</p>'


def area_table(desk: Desk, place: Place, areas: Sequence[Area]) -> str:
    """Return the parts of a place as a table, each a link to itself."""
    heads = (
        _PARTS[place.level], "村数", "已报送", "待审", "完整度", "有提示", "有异常值",
        "抽样（已看／抽中）", "未抽样", "最近应办结",
    )  # fmt: skip
    head = "".join(
        f"<th{'' if not place_ else ' class=portal-number'}>{text}</th>"
        for place_, text in enumerate(heads)
    )
    has_list = PARTS[place.level][0] in _LISTED
    rows = "".join(_area_row(desk, area, has_list=has_list) for area in areas)
    return (
        '<div class="portal-scroll township-areas"><table class="portal-table"><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _area_row(desk: Desk, area: Area, *, has_list: bool) -> str:
    """Draw one part of a place; where it has a list, its figures open the villages they count."""

    def opens(count: int, words: str, **asked: str) -> str:
        if not (has_list and count):
            return words
        return link(address(desk, area.prefix, **asked), words)

    late = ' class="portal-number township-late"' if area.overdue else ' class="portal-number"'
    unseen = area.sampled - area.looked
    sample = f"{area.looked}／{area.sampled}" if area.sampled else _NOTHING
    figures = (
        f"{area.villages:,}",
        f"{area.filed:,}",
        opens(area.waiting, f"<b>{area.waiting:,}</b>") if area.waiting else "0",
        percent_of(area.answered, area.required) or _NOTHING,
        opens(area.warned, _counted(area.warned, area.waiting), warned="1"),
        opens(area.odd, _counted(area.odd, area.waiting), only=ODD),
        opens(
            area.sampled,
            f"<b>{sample}</b>" if unseen else sample,
            only=UNSEEN if unseen else SAMPLED,
        ),
        _counted(area.undrawn, area.waiting),
    )
    cells = "".join(f'<td class="portal-number">{figure}</td>' for figure in figures)
    name = link(address(desk, area.prefix), escape(area.name or area.prefix))
    quiet = "" if area.waiting else ' class="township-quiet"'
    return f"<tr{quiet}><td>{name}</td>{cells}<td{late}>{days_words(area)}</td></tr>"


def _counted(count: int, of: int) -> str:
    return f"{count:,}" if of else _NOTHING


def listed_filter(desk: Desk, place: Place, asked: QueueFilter) -> QueueFilter | None:
    """Return what the list of villages of a place asks for; None where there are too many."""
    if place.level not in _LISTED:
        return None
    return QueueFilter(
        form=FORM_CODE,
        period=desk.period.period_id,
        unit=place.prefix,
        step=desk.step.step_no,
        round=asked.round,
        warned=asked.warned,
        overdue=asked.overdue,
        q=asked.q,
        only=asked.only,
        desk=True,
        sort=asked.sort,
        desc=asked.desc,
        page=asked.page,
    )


def period_choice(periods: Sequence[ReportingPeriod], desk: Desk) -> None:
    """Draw the period and the step, kept in the address."""
    by_id = {period.period_id: period.name for period in periods}
    if len(by_id) > 1:
        chosen = st.selectbox(
            "填报期", list(by_id), index=list(by_id).index(desk.period.period_id),
            format_func=by_id.__getitem__, label_visibility="collapsed", width=120,
            key=f"township-review-period-{desk.period.period_id}",
        )  # fmt: skip
        if chosen != desk.period.period_id:
            st.query_params["period"] = str(chosen)
            st.rerun()
    names = {step.step_no: step.name for step in desk.steps}
    if len(names) > 1:
        step = st.segmented_control(
            "步骤", list(names), default=desk.step.step_no, format_func=names.__getitem__,
            required=True, label_visibility="collapsed",
            key=f"township-review-step-{desk.step.step_no}",
        )  # fmt: skip
        if step != desk.step.step_no:
            st.query_params["step"] = str(step)
            st.rerun()


# THE SAMPLE


def sample_panel(
    actor: Actor, desk: Desk, place: Place, whole: Area, sampled: Sequence[Sampled], back: str
) -> None:
    """Draw the sample of a place: who is in it, what is still to be looked at, drawing it."""
    with st.container(horizontal=True, vertical_alignment="center", key="township-sample"):
        st.html(_sampled_html(desk, place, sampled, back))
        if whole.undrawn and st.button(
            f"抽取样本（{whole.undrawn:,} 个村未抽）", key="township-review-draw", type="primary",
            icon=":material/casino:",
        ):  # fmt: skip
            _draw(actor, desk, place)
        if place.level == desk.sampled_by[0] and sampled:
            with st.popover("抽样记录", icon=":material/history:"):
                _records(actor, desk, place)


def _sampled_html(desk: Desk, place: Place, sampled: Sequence[Sampled], back: str) -> str:
    if not sampled:
        return '<p class="township-sample">还没有抽样。抽样后逐份看完抽中的村，才能批量通过。</p>'
    listed = sorted(sampled, key=lambda each: not each.is_open(desk.step.step_no))
    returned = sum(each.state is SubmissionState.RETURNED for each in sampled)
    note = f"（其中 {returned} 个已退回，样本不因此增加）" if returned else ""
    items = "".join(_sampled_item(desk, place, each, back) for each in listed[:_MOST_LISTED])
    more = len(listed) - _MOST_LISTED
    rest = f"<li>另有 {more} 个，请点表中名称进入查看</li>" if more > 0 else ""
    return (
        f'<div class="township-sample"><b>抽中 {len(sampled):,} 个村{note}</b>'
        f"<ul>{items}{rest}</ul></div>"
    )


_MOST_LISTED = 40


def _sampled_item(desk: Desk, place: Place, village: Sampled, back: str) -> str:
    query = urlencode({"id": str(village.submission_id), "from": back})
    opens = link(f"submission?{query}", escape(village.name))
    words = _sampled_words(desk, village)
    # In a city or the province villages of one name are many.
    county = (
        "" if place.level in _LISTED else "".join(where_lies(village.division_code).split()[-1:])
    )
    waits = ' class="open"' if village.is_open(desk.step.step_no) else ""
    return f"<li{waits}>{escape(county)} {opens} <small>{words}</small></li>"


def _sampled_words(desk: Desk, village: Sampled) -> str:
    if village.state is not SubmissionState.SUBMITTED:
        return "已撤回" if village.state is SubmissionState.DRAFT else label(village.state)
    if village.step_no != desk.step.step_no:
        return "已通过"
    if village.is_seen:
        return "已看"
    if village.is_own:
        return "由您填报，须由他人审核"
    others = "、".join(escape(name) for name in village.looked_by)
    return f"待看（{others} 已看）" if others else "待看"


def _draw(actor: Actor, desk: Desk, place: Place) -> None:
    with errors_shown():
        with transaction(actor, action="sample.draw") as connection:
            review_sample.draw(connection, actor, desk, place.prefix)
        st.rerun()


def _records(actor: Actor, desk: Desk, place: Place) -> None:
    with transaction(actor, read_only=True) as connection:
        draws = review_sample.list_draws(connection, desk, place.prefix)
    st.html("".join(_draw_html(draw) for draw in draws))
    st.caption("按 SHA-256（种子:村代码）排序取前若干个，任何人可据种子复算。")
    reason = st.text_area(
        "重新抽样的理由", key=f"township-review-reason-{len(draws)}", max_chars=200, height=80
    )
    if st.button("重新抽样", key="township-review-redraw"):
        with errors_shown():
            with transaction(actor, action="sample.redraw") as connection:
                review_sample.redraw(connection, actor, desk, place.prefix, reason)
            st.rerun()


def _draw_html(draw: Draw) -> str:
    kind = "重抽" if draw.is_redraw else "首抽" if draw.draw_no == 1 else "补抽"
    gone = "（已被重抽取代）" if draw.replaced_at else ""
    reason = f"<br>理由：{escape(draw.reason)}" if draw.reason else ""
    return (
        f"<p>第 {draw.draw_no} 次 · {kind}{gone}：{draw.villages} 个村中抽 {draw.sampled} 个"
        f"（{draw.percent}%，至少 {draw.least} 个），种子 {draw.seed}<br>"
        f"<small>{escape(draw.drawn_by_name)} {moment(draw.drawn_at)}</small>{reason}</p>"
    )
