"""The trail on the screen: filters, the list, one change before and after, a verification."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from html import escape

import pandas as pd
import streamlit as st

from components.labels import label
from components.url_parameters import set_parameter
from data_access.accounts import masked_phone
from data_access.trail import Person, RowChange, Titled, TrailFilter, VerificationResult
from domain.clock import BEIJING, moment, today
from domain.trail import Finding, Operation

PAGE_SIZE = 50
_OPERATIONS = [str(operation) for operation in Operation]
_PERIODS = {"7": "近 7 天", "30": "近 30 天", "365": "近一年", "all": "全部时间"}
_USUAL_PERIOD = "30"
_CHOICES = ("table", "person", "period", "operation", "action")
_PARAMETERS = (*_CHOICES, "words", "division", "row")
_MOST_SHOWN = 20
_ACTIONS = {
    "account.create": "新建账号",
    "account.disable": "停用账号",
    "account.enable": "恢复账号",
    "account.grant": "授权",
    "account.lock": "停用或解锁账号",
    "account.password": "修改口令",
    "account.reset": "重置口令",
    "account.revoke": "收回授权",
    "account.unlock": "解锁账号",
    "audit.verify": "校验日志",
    "boundary.import": "导入界线",
    "demo.load": "装载演示数据",
    "division.import": "导入区划",
    "draft.open": "打开草稿",
    "draft.save": "保存草稿",
    "evidence.remove": "移除佐证",
    "evidence.upload": "上传佐证",
    "history.import": "导入历史进度",
    "inbox.read": "阅读消息",
    "job.fail": "任务失败",
    "job.manage": "取消或重试任务",
    "period_extension.grant": "准予延期",
    "plan.declare": "登记规划",
    "reference.load": "装载参考数据",
    "remark.reply": "回复意见",
    "reminder.acknowledge": "签收催办",
    "reminder.send": "催办",
    "reporting_period.close": "关闭填报期",
    "reporting_period.open": "开启填报期",
    "session.attempt": "登录未成",
    "session.close": "退出登录",
    "session.open": "登录",
    "session.revoke": "强制下线",
    "session.ticket": "登录",
    "setting.change": "修改设置",
    "submission.approve": "审核通过",
    "submission.return": "退回",
    "review.bulk": "批量办理",
    "review.undo": "撤销批量办理",
    "reporting_period.sample": "调整审核抽样",
    "sample.draw": "审核抽样",
    "sample.look": "查看抽样村",
    "sample.redraw": "重新抽样",
    "filter.save": "保存常用筛选",
    "filter.remove": "删除常用筛选",
    "submission.abandon": "放弃变更",
    "submission.reopen": "报送变更",
    "submission.submit": "报送",
    "submission.withdraw": "撤回",
    "supervision_item.close": "督办销号",
    "supervision_item.comment": "督办意见",
    "supervision_item.feedback": "督办反馈",
    "supervision_item.open": "立项督办",
    "supervision_item.reopen": "督办退回重办",
    "upload.begin": "开始上传",
    "upload.cancel": "取消上传",
    "upload.receive": "接收上传",
    "workbook.apply": "工作簿写入草稿",
    "workbook.check": "上传工作簿比对",
    "workbook.export": "下载工作簿",
    "workbook.upload": "上传工作簿",
    "natural_village.import": "导入自然村",
    "position.correct": "更正村庄位置",
    "position.restore": "恢复村庄原位置",
    "village.import": "导入行政村",
}


def action_words(action: str | None) -> str:
    """Return a business action in words, its code where there are none."""
    return _ACTIONS.get(action or "", action or "—")


def filters(tables: list[Titled], people: list[Person]) -> TrailFilter:
    """Draw the row of filters, which live in the address; return what is asked for."""
    _follow_address()
    names = {table.name: short_title(table.title) for table in tables}
    persons = {str(one.user_id): f"{one.display_name}（{one.username}）" for one in people}
    with st.container(horizontal=True, vertical_alignment="bottom", key="trail-filters"):
        period = _choice("时间", "period", _PERIODS, 130, default=_USUAL_PERIOD)
        table = _choice("数据表", "table", names, 260)
        person = _choice("操作人", "person", persons, 220)
        words = _text("前后内容包含", "words", "姓名、文号、数值等", 220)
        kinds = {name: label(Operation(name)) for name in _OPERATIONS}
        with st.popover(_more_words(kinds), icon=":material/tune:"):
            operation = _choice("操作", "operation", kinds, 240)
            action = _choice("业务动作", "action", _ACTIONS, 240)
            division = _text("区划代码（前几位亦可）", "division", "如 3601", 240)
            row = _text("记录主键", "row", "与数据表同用", 240)
        if any(_address().values()):
            st.button("清除条件", icon=":material/close:", type="tertiary", on_click=_clear)
    st.session_state["trail-address"] = _address()
    return TrailFilter(
        table_name=table,
        row_key=row,
        operation=operation,
        user_id=int(person) if person else None,
        division_prefix=division,
        action=action,
        since=_since(period),
        words=words,
    )


def _choice(
    caption: str, name: str, options: Mapping[str, str], width: int, *, default: str | None = None
) -> str | None:
    known = list(options)
    key = f"trail-{name}"
    if st.session_state.get(key, default) not in known:
        st.session_state[key] = default
    value = st.selectbox(
        caption,
        known,
        index=None,
        format_func=lambda option: options[option],
        placeholder="全部",
        key=key,
        width=width,
    )
    set_parameter(name, None if value == default else value)
    return value


def _text(caption: str, name: str, placeholder: str, width: int) -> str | None:
    value = st.text_input(
        caption, placeholder=placeholder, max_chars=100, key=f"trail-{name}", width=width
    )
    # PostgreSQL's text cannot hold the character zero, so no entry does either.
    value = value.replace("\x00", "").strip()
    set_parameter(name, value)
    return value or None


def _address() -> dict[str, str | None]:
    return {name: st.query_params.get(name) for name in _PARAMETERS}


def _follow_address() -> None:
    """Give the widgets the address's values when it is not the one they wrote: a link, or back."""
    if st.session_state.get("trail-address") != _address():
        for name, value in _address().items():
            st.session_state[f"trail-{name}"] = value if value or name in _CHOICES else ""


def _more_words(kinds: Mapping[str, str]) -> str:
    """Return what the popover asks for, readable while it is closed."""
    asked = {name: _asked(name) for name in ("operation", "action", "division", "row")}
    words = [
        kinds.get(asked["operation"], ""),
        _ACTIONS.get(asked["action"], ""),
        f"区划 {asked['division']}" if asked["division"] else "",
        f"主键 {asked['row']}" if asked["row"] else "",
    ]
    return "更多条件" + "".join(f" · {word}" for word in words if word)


def _asked(name: str) -> str:
    return str(st.session_state.get(f"trail-{name}") or "")[:20]


def _clear() -> None:
    for name in _PARAMETERS:
        st.query_params.pop(name, None)


def _since(period: str | None) -> datetime | None:
    if period is None or not period.isdigit():
        return None
    first: date = today() - timedelta(days=int(period) - 1)
    return datetime.combine(first, time(), BEIJING)


def short_title(title: str) -> str:
    """Return the Chinese name of a table or column without the remark behind it.

    >>> short_title("审核记录（只增不改）"), short_title("操作：INSERT 新增")
    ('审核记录', '操作')
    """
    return title.split("（")[0].split("：")[0]


def change_list(changes: list[RowChange]) -> RowChange | None:
    """Draw the changes, newest first; return the one that was chosen."""
    frame = pd.DataFrame(
        {
            "时间": [_second(change.happened_at) for change in changes],
            "操作人": [_who(change) for change in changes],
            "业务动作": [action_words(change.action) for change in changes],
            "操作": [label(change.operation) for change in changes],
            "数据表": [short_title(change.table_title) for change in changes],
            "区划": [change.division_name or change.division_code or "—" for change in changes],
            "主键": [change.row_key for change in changes],
        }
    )
    chosen = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"trail-list-{changes[0].row_change_id}-{changes[-1].row_change_id}",
        height=min(38 + 35 * len(changes), 640),
    )
    rows = chosen["selection"]["rows"]
    return changes[rows[0]] if rows else None


def change_panel(change: RowChange, columns: list[Titled]) -> None:
    """Draw one change: who, when, where, and each field before and after."""
    titles = {column.name: short_title(column.title) for column in columns}
    st.subheader(f"{label(change.operation)}“{short_title(change.table_title)}”", anchor=False)
    st.html(_facts(change))
    every = st.toggle("显示未改动的字段", key="trail-every-field")
    rows = list(_compared(change.before or {}, change.after or {}, titles, every=every))
    if rows:
        head = "<tr><th>字段</th><th>变更前</th><th>变更后</th></tr>"
        body = f'<table class="portal-table">{head}{"".join(rows)}</table>'
        st.html(f'<div class="portal-scroll">{body}</div>')
    st.caption(f"日志 {change.row_change_id} · 第 {change.chain_no} 链第 {change.chain_seq} 条")
    st.code(change.hash, language=None, wrap_lines=True)


def _facts(change: RowChange) -> str:
    place = " ".join(filter(None, (change.division_name, change.division_code)))
    facts = {
        "时间": _second(change.happened_at),
        "操作人": _who(change),
        "业务动作": action_words(change.action),
        "区划": place or "—",
        "主键": change.row_key,
        "数据库登录": change.database_login,
    }
    rows = (
        f'<tr><th style="width:7rem">{name}</th><td>{escape(text)}</td></tr>'
        for name, text in facts.items()
    )
    return f'<div class="portal-scroll"><table class="portal-table">{"".join(rows)}</table></div>'


def _compared(
    before: Mapping[str, object],
    after: Mapping[str, object],
    titles: Mapping[str, str],
    *,
    every: bool,
) -> Iterator[str]:
    """Yield a table row for each field that changed, or for every field."""
    old, new = dict(_fields(before)), dict(_fields(after))
    for path in dict.fromkeys([*old, *new]):
        was, became = old.get(path), new.get(path)
        changed = was != became or _is_changed_secret(became)
        if not changed and not every:
            continue
        column, *rest = path
        title = "．".join([titles.get(column, column), *rest])
        mark = ' class="portal-new"' if changed else ""
        cells = (
            f'<td class="portal-old">{_cell(path, was)}</td><td{mark}>{_cell(path, became)}</td>'
        )
        yield f"<tr><th>{escape(title)}</th>{cells}</tr>"


def _fields(
    image: Mapping[str, object], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the fields of a row, those inside JSON columns with their path."""
    for name, value in image.items():
        if isinstance(value, dict) and value and "redacted" not in value:
            yield from _fields(value, (*above, name))
        else:
            yield (*above, name), value


def _is_changed_secret(value: object) -> bool:
    return isinstance(value, dict) and value.get("redacted") == "changed"


def _cell(path: tuple[str, ...], value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, dict) and "redacted" in value:
        return "（不留内容，有改动）" if _is_changed_secret(value) else "（不留内容，未改动）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return escape((masked_phone(value) or "") if "phone" in path[-1] else value)
    return escape(json.dumps(value, ensure_ascii=False))


def _second(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def _who(change: RowChange) -> str:
    if change.user_name:
        return change.user_name
    if change.user_id is not None:
        return f"账号 {change.user_id}"
    # Whoever does not come through the portal has no account in it.
    return "系统" if change.database_login == "portal" else f"数据库 {change.database_login}"


def verification(result: VerificationResult) -> None:
    """Draw what a verification came to."""
    anchored = f"锚定文件 {result.anchors:,} 行"
    if result.last_anchored_at:
        anchored += f"，最近锚定 {moment(datetime.fromisoformat(result.last_anchored_at))}"
    if result.not_anchored:
        oldest = result.oldest_not_anchored_at
        since = f"，最早一条为 {moment(oldest)}" if oldest else ""
        anchored += f"；尚未锚定 {result.not_anchored:,} 条{since}"
    if result.is_whole:
        st.success(f"{result.entries:,} 条日志完整无改动。{anchored}。")
        return
    lines = [f"- {finding_words(finding)}" for finding in result.findings[:_MOST_SHOWN]]
    st.error(
        f"校验 {result.entries:,} 条日志，发现 {result.found:,} 处异常，"
        f"请保护现场并报告信息安全负责人。{anchored}。\n\n" + "\n".join(lines)
    )


def finding_words(finding: Finding) -> str:
    """Return one finding as a sentence."""
    first, last = finding.first_seq, finding.last_seq
    places = f"{first}" if first == last else f"{first} 至 {last}"
    what = label(finding.kind)
    if finding.table_name:
        return f"{what}：表 {finding.table_name}。"
    if finding.chain_no < 0:
        return f"{what}：第 {places} 行。"
    entry = finding.entry
    shown = f"，日志 {entry.row_change_id}（{entry.table_name} {entry.row_key}）" if entry else ""
    return f"{what}：第 {finding.chain_no} 链第 {places} 条{shown}。"
