"""The phone page as HTML: one small style sheet, one script, and nothing that needs Streamlit.

Everything is escaped here; nothing inline, so that the page's own policy allows no inline script.
"""

import json
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from components.form_editor import editor_script
from components.places import outline_url, place_script, place_style
from components.session import PortalFacts
from components.villages import RETURNED_WORDS, deadline_words, state_name
from data_access.reporting import ReportingPeriod
from data_access.village_worklist import NOT_BEGUN, PAGE, ReturnedLate, VillageWork, Worklist
from domain.access import Actor
from domain.village_evaluation import SUMMED
from domain.workflow import SubmissionState

_ASSETS = Path(__file__).parents[1] / "assets"
SCRIPT, STYLE = "phone.js", "phone.css"
_STATES = {state: state_name(state) for state in (NOT_BEGUN, *SubmissionState)}
_SENT = (SubmissionState.SUBMITTED, SubmissionState.FILED)


# FILES THAT A BROWSER KEEPS


@cache
def files() -> dict[str, tuple[str, str]]:
    """Return name to media type and text of what the pages load."""
    return {
        SCRIPT: (
            "text/javascript",
            "\n".join((editor_script(), place_script(), _read("phone.js"))),
        ),
        STYLE: ("text/css", place_style() + "\n" + _read("phone.css")),
    }


@cache
def address_of(name: str) -> str:
    """Return the address of a file, which names its content."""
    digest = sha256(files()[name][1].encode()).hexdigest()[:16]
    return f"/phone/assets/{digest}/{name}"


@cache
def worker_script() -> str:
    """Return the service worker with the files it keeps; another file makes another worker."""
    known = json.dumps([address_of(name) for name in (SCRIPT, STYLE)])
    return f"const FILES = {known};\n" + _read("phone_worker.js")


def _read(name: str) -> str:
    return (_ASSETS / name).read_text("utf-8")


# PAGES


def door(facts: PortalFacts) -> str:
    """Return the sign-in; afterwards the browser asks for the same address again."""
    hint = "账号由信息中心开通；忘记口令请联系信息中心重置。"
    return _page(
        facts,
        "登录",
        f"""<main id="door"><h1>{escape(facts.system_name)}</h1>
<form class="card" method="post"><h2>登录</h2>
<label>用户名<input name="username" autocomplete="username" autocapitalize="none" required></label>
<label>口令<input name="password" type="password" autocomplete="current-password" required></label>
<p class="save-state" role="status" hidden></p>
<button class="primary">登录</button></form>
<p class="quiet">{hint}</p></main>""",
    )


def notice(facts: PortalFacts, sentence: str) -> str:
    """Return a page that says one thing and leads to the list and to the full portal."""
    return _page(
        facts,
        "提示",
        f"""<main id="notice"><section class="card"><h2>提示</h2><p>{escape(sentence)}</p>
<div class="actions"><a class="button" href="/phone">村庄列表</a>
<a class="button" href="/">完整版</a></div></section></main>""",
    )


def worklist_page(
    facts: PortalFacts,
    actor: Actor,
    work: Worklist,
    returned: Sequence[ReturnedLate],
    words: str,
    state: str | None,
    page: int,
) -> str:
    """Return one page of the villages of the actor."""
    total = sum(work.counts.values())
    sent = sum(work.counts.get(each, 0) for each in _SENT)
    following = (
        f'<a class="button primary" href="/phone/{work.next_code}">下一个村</a>'
        if work.next_code
        else '<p class="sent">全部村庄已报送。</p>'
    )
    return _page(
        facts,
        "村庄列表",
        f"""<main data-user="{actor.user_id}"><section class="card">
<h2>{escape(work.period.form_title)} {escape(work.period.name)}</h2>
<p>已报送 {sent} / {total} 个村，{deadline_words(work.period)}</p>
<progress max="{max(total, 1)}" value="{sent}" aria-label="报送进度"></progress>
{following}</section>
{_returned_list(returned)}
<form class="search" role="search"><input name="q" type="search" value="{escape(words)}"
 placeholder="村名或代码" aria-label="村名或代码"><button>查找</button></form>
<nav class="states" aria-label="状态">{_state_links(work, words, state)}</nav>
<ul class="villages">{"".join(map(_village_row, work.villages)) or "<li>没有符合的村。</li>"}</ul>
{_pages(work, words, state, page)}</main>""",
        actor,
    )


def between_page(
    facts: PortalFacts, actor: Actor, sentence: str, returned: Sequence[ReturnedLate]
) -> str:
    """Return the list between two periods: what was returned of those that are closed."""
    return _page(
        facts,
        "村庄列表",
        f"""<main data-user="{actor.user_id}"><section class="card"><p>{escape(sentence)}</p>
</section>{_returned_list(returned)}</main>""",
        actor,
    )


def _returned_list(returned: Sequence[ReturnedLate]) -> str:
    if not returned:
        return ""
    rows = "".join(
        f'<li><a href="/phone/{each.code}/{each.period_id}" data-row="{each.submission_id}">'
        f"<strong>{escape(each.name)}</strong>"
        f'<span class="state" data-state="returned">{escape(each.period_name)}</span>'
        '<span class="unsent" hidden>未上传</span>'
        f'<span class="quiet">{escape(each.town_name)} {each.code}</span></a></li>'
        for each in returned
    )
    return (
        f'<h2 class="late">退回待修改（{len(returned)}）</h2>'
        f'<p class="quiet">{RETURNED_WORDS}</p><ul class="villages">{rows}</ul>'
    )


def village_page(
    facts: PortalFacts,
    actor: Actor,
    period: ReportingPeriod,
    village: VillageWork,
    submission_id: int,
    following: str | None,
) -> str:
    """Return the page of one village; its script asks for the report and draws it."""
    return _page(
        facts,
        village.name,
        f"""<header class="village"><h1>{escape(village.name)}</h1>
<p class="quiet">{escape(village.town_name)} · {village.code} ·
 {deadline_words(period)}</p></header>
<main data-user="{actor.user_id}" data-submission="{submission_id}" data-next="{following or ""}"
 data-village="{village.code}" data-outline="{escape(outline_url(village.code))}"
 data-sums="{" ".join(SUMMED)}"></main>""",
        actor,
    )


def _page(facts: PortalFacts, title: str, inside: str, actor: Actor | None = None) -> str:
    badge = '<span class="badge">演示数据</span>' if facts.is_demo else ""
    who = (
        f'<a href="/phone">村庄列表</a><span class="who">{escape(actor.display_name)}</span>'
        '<button type="button" class="plain" id="leave">退出</button>'
        if actor
        else ""
    )
    unsent = '<p id="unsent" class="save-state" role="status" hidden></p>' if actor else ""
    return f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
<title>{escape(title)} - {escape(facts.system_name)}</title>
<link rel="stylesheet" href="{address_of(STYLE)}">
<script type="module" src="{address_of(SCRIPT)}"></script></head>
<body><nav class="top">{badge}{who}</nav>{unsent}{inside}</body></html>"""


def _state_links(work: Worklist, words: str, state: str | None) -> str:
    counts = {None: sum(work.counts.values())} | {
        each: work.counts.get(each, 0) for each in _STATES
    }
    return "".join(
        f'<a href="{_address(words, each, 1)}"{" aria-current=true" if each == state else ""}>'
        f"{'全部' if each is None else _STATES[each]} {count}</a>"
        for each, count in counts.items()
        if count or each is None or each == state
    )


def _village_row(village: VillageWork) -> str:
    return (
        f'<li><a href="/phone/{village.code}" data-row="{village.submission_id or ""}">'
        f"<strong>{escape(village.name)}</strong>"
        f'<span class="state" data-state="{village.state}">{_STATES[village.state]}</span>'
        '<span class="unsent" hidden>未上传</span>'
        f'<span class="quiet">{escape(village.town_name)} {village.code}</span></a></li>'
    )


def _pages(work: Worklist, words: str, state: str | None, page: int) -> str:
    found = work.found
    last = -(-found // PAGE)
    if last <= 1:
        return ""
    back = f'<a class="button" href="{_address(words, state, page - 1)}">上一页</a>'
    forward = f'<a class="button" href="{_address(words, state, page + 1)}">下一页</a>'
    none = "<span></span>"
    return (
        f'<nav class="pages" aria-label="翻页">{back if page > 1 else none}'
        f"<span>{page} / {last} 页，共 {found} 个</span>{forward if page < last else none}</nav>"
    )


def _address(words: str, state: str | None, page: int) -> str:
    given = {"q": words or None, "state": _word_of(state), "page": page if page > 1 else None}
    asked = urlencode({name: value for name, value in given.items() if value is not None})
    return escape(f"/phone?{asked}" if asked else "/phone")


def _word_of(state: str | None) -> str | None:
    """Return the state as the address has it, where nothing is no state at all."""
    return "none" if state == NOT_BEGUN else state


def state_of(word: str | None) -> str | None:
    """Return the state that an address asks for, None for all and for what is no state."""
    if word == "none":
        return NOT_BEGUN
    return word if word in _STATES and word else None
