"""The pages of village evaluation: what is to be done, and the way through it."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from components.charts import link
from components.form_editor import FIELD
from components.labels import error_message, label
from components.links import address, page_path
from components.url_parameters import set_parameter
from components.watch import watch
from data_access import bulk_filing, village_worklist
from data_access.bulk_filing import Told
from data_access.reporting import ReportingPeriod
from data_access.village_form import FORM_CODE
from data_access.village_worklist import (
    NOT_BEGUN,
    InHand,
    ReturnedLate,
    Township,
    VillageWork,
    Worklist,
)
from domain.access import Actor
from domain.clock import BEIJING, moment, now
from domain.workflow import SubmissionState

_ASSETS = Path(__file__).parents[1] / "assets"
_ALL = "all"
_SHOWN_REASONS = 3
_OPEN_RETURNED = 10  # reports that a list shows without being asked
_VILLAGE = "village"
_PLACE = "villages-place"
_TOLD = "villages-told"
_unsent = st.components.v2.component(
    "village_unsent", js=(_ASSETS / "unsent.js").read_text("utf-8"), isolate_styles=False
)
RETURNED_WORDS = "填报期已关闭，修改后仍可重新报送"


def load_styles() -> None:
    """Load the style sheet of the pages."""
    st.html(_ASSETS / "villages.css")


# THE WAY TO A VILLAGE AND BACK


def follow_links() -> None:
    """Open the village that is clicked without loading the portal anew; keep the list's place."""
    st.session_state[_PLACE] = st.query_params.to_dict()
    target = urlsplit(watch(None, key="villages-watch", box=None).opened or "")
    if target.path == _VILLAGE:
        st.switch_page(page_path(_VILLAGE), query_params=dict(parse_qsl(target.query)))


def back_link() -> None:
    """Lead back to the list of villages as it was left."""
    place = st.session_state.get(_PLACE, {})
    st.page_link(page_path("villages"), label="返回各村", query_params=place, width="content")


# THE WORKLIST


def worklist_sentence(period: ReportingPeriod, counts: dict[str, int]) -> str:
    """Return how many villages are filed, how many wait for the officer, and how long is left."""
    villages = sum(counts.values())
    sent = counts.get(SubmissionState.SUBMITTED, 0) + counts.get(SubmissionState.FILED, 0)
    returned = counts.get(SubmissionState.RETURNED, 0)
    back = f"，其中 **{returned}** 个被退回" if returned else ""
    return (
        f"**{period.name}：{villages:,} 个村中 {sent:,} 个已报送，{villages - sent:,} 个待报送**"
        f"{back}。{deadline_words(period)}。"
    )


def deadline_words(period: ReportingPeriod) -> str:
    """Return the deadline and the days that are left, in Beijing's days."""
    if period.closed_at:
        return f"{period.name}，填报期已关闭"
    days = (period.deadline_at.astimezone(BEIJING).date() - now().date()).days
    left = f"还有 {days} 天" if days > 0 else ("今日截止" if not days else f"已逾期 {-days} 天")
    return f"截止 {moment(period.deadline_at)}，{left}"


def state_tabs(counts: dict[str, int]) -> str | None:
    """Draw the states with their counts, kept in the address; return the chosen one or None."""
    states = [NOT_BEGUN, *(state.value for state in SubmissionState)]
    names = {_ALL: f"全部 {sum(counts.values()):,}"} | {
        state or "none": f"{state_name(state)} {counts.get(state, 0):,}" for state in states
    }
    asked = st.query_params.get("state", _ALL)
    asked = asked if asked in names else _ALL
    chosen = st.segmented_control(
        "状态", list(names), default=asked, format_func=names.__getitem__, required=True,
        key=f"villages-state-{asked}", label_visibility="collapsed",
    )  # fmt: skip
    if chosen != asked:
        _go(state=None if chosen == _ALL else chosen)
    return None if asked == _ALL else asked.replace("none", NOT_BEGUN)


def state_name(state: str) -> str:
    """Return what a person calls the state of a village's report."""
    return label(SubmissionState(state)) if state else "未开始"


def search_box() -> str:
    """Draw the search by name or code, kept in the address; return what is searched for."""
    asked = st.query_params.get("q", "")[:30]
    typed = st.text_input(
        "村名或代码", value=asked, max_chars=30, placeholder="村名或代码",
        key=f"villages-q-{asked}", label_visibility="collapsed", width=220,
    )  # fmt: skip
    if typed.strip() != asked:
        _go(q=typed.strip() or None)
    return asked


def township_choice(towns: Sequence[Township]) -> str:
    """Draw the townships with their progress; return the chosen one's prefix, '' for all."""
    if len(towns) < 2:
        return ""
    names = {"": f"全部乡镇（{len(towns)}）"} | {
        town.prefix: f"{town.name}　{town.filed}/{town.villages}" for town in towns
    }
    asked = st.query_params.get("town", "")
    asked = asked if asked in names else ""
    chosen = st.selectbox(
        "乡镇", list(names), list(names).index(asked), format_func=names.__getitem__,
        key=f"villages-town-{asked}", label_visibility="collapsed", width=240,
    )  # fmt: skip
    if chosen != asked:
        _go(town=chosen or None)
    return asked


def _go(**changes: str | None) -> None:
    """Put a filter into the address, on its first page, and draw the page anew."""
    for name, value in {**changes, "page": None}.items():
        set_parameter(name, value)
    st.rerun()


def returned_list(returned: Sequence[ReturnedLate]) -> None:
    """Draw the returned reports of closed periods, each a link to its report, where there are."""
    if not returned:
        return
    periods = "、".join(dict.fromkeys(each.period_name for each in returned))
    lines = "".join(
        f"<tr><td>{escape(each.period_name)}</td>"
        f"<td>{link(address_of(each.code, each.period_id), escape(each.name))}</td>"
        f"<td>{escape(each.town_name)}</td><td>{each.code}</td></tr>"
        for each in returned
    )
    st.html(
        f'<details class="village-late"{" open" if len(returned) <= _OPEN_RETURNED else ""}>'
        f"<summary>退回待修改（{escape(periods)}）：{len(returned):,} 个村，"
        f"{RETURNED_WORDS}</summary>"
        f'<table class="portal-table"><thead><tr><th>填报年度</th><th>村</th><th>乡镇</th>'
        f"<th>代码</th></tr></thead><tbody>{lines}</tbody></table></details>"
    )


def unsent_list(actor: Actor) -> None:
    """Name the villages of which this browser holds text that the server has not."""
    data = {"user_id": actor.user_id, "form": FORM_CODE}
    _unsent(key="villages-unsent", data=data)


def village_list(work: Worklist, page: int, state: str | None, counts: dict[str, int]) -> None:
    """Draw one page of villages, each a link to its evaluation."""
    if not work.villages:
        _no_villages(is_filtered=any(counts.values()))
        return
    lines = "".join(_line(village) for village in work.villages)
    st.html(
        '<div class="portal-scroll"><table class="portal-table village-table"><thead><tr>'
        "<th>村</th><th>乡镇</th><th>代码</th><th>状态</th><th></th></tr></thead>"
        f"<tbody>{lines}</tbody></table></div>"
    )
    _pager(page, work.found)


def _no_villages(*, is_filtered: bool) -> None:
    """Say why the list is empty; what narrows it is taken away by one click."""
    if not is_filtered:
        st.info("您的授权范围内没有行政村。")
        return
    st.info("没有符合条件的村。")
    if st.button("清除条件，列出全部的村", key="villages-clear"):
        _go(q=None, state=None, town=None)


def _line(village: VillageWork) -> str:
    state = village.state
    action = "填写" if state in (NOT_BEGUN, "draft") else "修改" if state == "returned" else "查看"
    opens = address_of(village.code)
    return (
        f"<tr><td>{link(opens, escape(village.name))}</td>"
        f"<td>{escape(village.town_name)}</td><td>{village.code}</td>"
        f'<td><span class="village-state {state or "none"}">{state_name(state)}</span></td>'
        f"<td>{link(opens, action)}</td></tr>"
    )


def address_of(code: str, period_id: int | None = None, path: str = "") -> str:
    """Return where a village's evaluation is filled in, of the open period or of the one given.

    `path` is the field that whoever follows it is brought to.
    """
    asked = {"code": code, "period": str(period_id or ""), FIELD: path}
    return address(_VILLAGE, {name: value for name, value in asked.items() if value})


def _pager(page: int, total: int) -> None:
    last = max(1, -(-total // village_worklist.PAGE))

    def turn(to: int) -> None:
        set_parameter("page", str(to) if to > 1 else None)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"共 {total:,} 个村，第 {page} / {last} 页", width="content")
        for words, to in (("上一页", page - 1), ("下一页", page + 1)):
            key, outside = f"villages-page-{words}", not 1 <= to <= last
            st.button(words, key=key, disabled=outside, on_click=turn, args=(to,))


# FILING MANY


def submit_many(actor: Actor, waiting: Sequence[InHand]) -> None:
    """Offer to file every report that is filled in; list the others, each reason a link."""
    if waiting and st.button(
        f"报送已填好的村（草稿、退回共 {len(waiting):,}）", key="villages-submit"
    ):
        _file_dialog(actor, waiting)


@st.dialog("报送已填好的村")
def _file_dialog(actor: Actor, waiting: Sequence[InHand]) -> None:
    st.write(
        f"将逐个校验 **{len(waiting):,}** 个草稿、退回的村：通过的立即报送，"
        "未通过的、退回后没有改动的保持原样，列出原因。报送后、审核前可以逐村撤回。"
    )
    if st.button(f"校验并报送 {len(waiting):,} 个村", type="primary", key="villages-submit-all"):
        _file(actor, waiting)
        st.rerun()


def _file(actor: Actor, waiting: Sequence[InHand]) -> None:
    bar = st.progress(0.0, "正在校验并报送…")
    told: list[tuple[InHand, Told]] = []
    for number, report in enumerate(waiting, 1):
        outcome = bulk_filing.submit_seen(
            actor, report.submission_id, report.draft_version, report.lock_version
        )
        told.append((report, outcome))
        bar.progress(number / len(waiting), f"正在校验并报送… {number:,} / {len(waiting):,}")
    st.session_state[_TOLD] = told


def told_list(in_hand: Sequence[InHand]) -> None:
    """Say what became of the reports that were filed together, until somebody has read it.

    What could not be filed stays listed on the way to its fields and back, while it is in hand.
    """
    told: list[tuple[InHand, Told]] = st.session_state.get(_TOLD, [])
    if not told:
        return
    left = {report.submission_id for report in in_hand}
    refused = [(report, outcome) for report, outcome in told if outcome.error]
    open_ = [each for each in refused if each[0].submission_id in left]
    done = f"已报送 {len(told) - len(refused):,} 个村"
    with st.container(border=True, key="villages-told-box"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{done}，{len(open_):,} 个未能报送**" if open_ else f"**{done}**")
            st.button("知道了", key="villages-told-read", on_click=_forget_told)
        if open_:
            lines = "".join(
                f"<tr><td>{link(address_of(report.code), escape(report.name))}"
                f"<br><small>{escape(report.town_name)}</small></td>"
                f"<td>{_reasons(report, outcome)}</td></tr>"
                for report, outcome in open_
            )
            st.html(f'<table class="portal-table village-refused"><tbody>{lines}</tbody></table>')


def _forget_told() -> None:
    st.session_state.pop(_TOLD, None)


def _reasons(report: InHand, outcome: Told) -> str:
    if not outcome.problems:
        return escape(error_message(outcome.error)) if outcome.error else ""
    links = [
        f"{link(address_of(report.code, path=problem.path), escape(problem.label))}"
        f"：{escape(problem.message)}"
        for problem in outcome.problems
    ]
    first, more = links[:_SHOWN_REASONS], links[_SHOWN_REASONS:]
    rest = f"<details><summary>另有 {len(more)} 处</summary>{'<br>'.join(more)}</details>"
    return "<br>".join(first) + (rest if more else "")


# ONE VILLAGE


def next_village(code: str | None, key: str) -> None:
    """Draw the one tap to the next village that is to be filed."""
    words, icon = "下一个村" if code else "没有待填的村了", ":material/arrow_forward:"
    if st.button(words, key=key, type="primary", icon=icon, disabled=code is None):
        st.switch_page(page_path("village"), query_params={"code": str(code)})
