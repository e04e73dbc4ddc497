"""Which screens there are, whose they are, and how a run finds its way to one."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from components import sign_in
from components.inbox import unread_count
from components.session import begin_run, page_frame
from components.way_back import keep_way_back
from domain.access import Actor, Role

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "assets"
_ADDRESS = re.compile(r"[A-Za-z0-9_.-]{1,64}")
WORKERS = (
    Role.LEADER,
    Role.PLAN_BUREAU,
    Role.USE_CONTROL,
    Role.DEPARTMENT,
    Role.CITY,
    Role.COUNTY,
)
ADDRESSEES = tuple(role for role in Role if role is not Role.SECURITY_AUDITOR)
REVIEWERS = (Role.PLAN_BUREAU, Role.CITY, Role.COUNTY)
REPORT_FILERS = (Role.COUNTY, Role.CITY, Role.DEPARTMENT)
VILLAGE_FILERS = (Role.TOWNSHIP, Role.COUNTY)
REPORTERS = (Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY)
READERS = (*REPORTERS, Role.TOWNSHIP)  # of reports
WORKBOOK_TAKERS = (*READERS, Role.DEPARTMENT)


@dataclass(frozen=True, slots=True)
class PortalPage:
    """One screen: its file and address, its place in the navigation, and whose it is."""

    name: str  # pages/<name>.py, and /<name>
    title: str
    icon: str
    group: str
    roles: tuple[Role, ...]  # none: everyone signed in
    hidden: bool = False

    @property
    def path(self) -> Path:
        return ROOT / "pages" / f"{self.name}.py"

    def is_for(self, actor: Actor) -> bool:
        return not self.roles or actor.has_role(*self.roles)


PAGES = (
    PortalPage("overview", "总览", "map", "监督", WORKERS),
    PortalPage("unit", "单位详情", "location_city", "监督", WORKERS, hidden=True),
    PortalPage("figures", "数字来源", "fact_check", "监督", WORKERS, hidden=True),
    PortalPage("compile_units", "编制单位", "apartment", "监督", REPORTERS),
    PortalPage("village_overview", "村庄评估", "holiday_village", "监督", REPORTERS),
    PortalPage("village_map", "村庄一张图", "share_location", "监督", REPORTERS),
    PortalPage("assessment", "现状评估", "monitoring", "监督", WORKERS),
    PortalPage("assessment_comparison", "评估对比", "compare_arrows", "监督", WORKERS),
    PortalPage("assessment_unit", "单位评估", "location_city", "监督", WORKERS, hidden=True),
    PortalPage("assessment_indicator", "评估指标", "query_stats", "监督", WORKERS, hidden=True),
    PortalPage("assessment_figure", "评估数字来源", "fact_check", "监督", WORKERS, hidden=True),
    PortalPage("indicator_warnings", "预警事项", "notification_important", "监督", WORKERS),
    PortalPage("supervision", "督办催办", "campaign", "监督", WORKERS),
    PortalPage("inbox", "消息", "inbox", "监督", ADDRESSEES),
    PortalPage("report", "在线填报", "edit_note", "填报", REPORT_FILERS),
    PortalPage("villages", "村庄评估填报", "holiday_village", "填报", VILLAGE_FILERS),
    PortalPage("village", "村庄评估", "cottage", "填报", VILLAGE_FILERS, hidden=True),
    PortalPage("workbooks", "Excel 填报", "table_view", "填报", WORKBOOK_TAKERS),
    PortalPage("review_queue", "审核队列", "rule", "审核", REVIEWERS),
    PortalPage("township_review", "村庄审核", "holiday_village", "审核", REVIEWERS),
    PortalPage("submission", "填报详情", "description", "审核", READERS, hidden=True),
    PortalPage("accounts", "账号", "group", "管理", (Role.INFORMATION_CENTRE,)),
    PortalPage("periods", "填报期", "event", "管理", (Role.PLAN_BUREAU, Role.INFORMATION_CENTRE)),
    PortalPage(
        "rules", "校验规则", "fact_check", "管理", (Role.PLAN_BUREAU, Role.INFORMATION_CENTRE)
    ),
    PortalPage("assessment_rules", "预警规则", "tune", "管理", REPORTERS),
    PortalPage("indicator_targets", "指标目标", "flag", "管理", WORKERS),
    PortalPage("jobs", "后台任务", "pending_actions", "管理", (Role.INFORMATION_CENTRE,)),
    PortalPage("settings", "系统设置", "settings", "管理", (Role.INFORMATION_CENTRE,)),
    PortalPage("trail", "审计查询", "policy", "审计", (Role.SECURITY_AUDITOR,)),
    PortalPage("password", "修改口令", "key", "账号", (), hidden=True),
)
INBOX = next(page for page in PAGES if page.name == "inbox")
MOST_SIDE_BY_SIDE = 6  # more pages than that stand in the navigation under their groups
# Where each role begins; of several roles the first counts.
HOMES = {
    Role.LEADER: "overview",
    Role.PLAN_BUREAU: "overview",
    Role.CITY: "report",
    Role.COUNTY: "report",
    Role.TOWNSHIP: "villages",
    Role.INFORMATION_CENTRE: "accounts",
    Role.SECURITY_AUDITOR: "trail",
    Role.USE_CONTROL: "overview",
    Role.DEPARTMENT: "report",
    Role.COMPILE_UNIT: "inbox",
    Role.TECHNICAL_REVIEWER: "inbox",
}


def draw_portal() -> None:
    """Draw one run of the portal."""
    st.html(ASSETS / "portal.css")
    if sign_in.is_leaving():
        sign_in.farewell()
        return
    actor = begin_run()
    selected = navigation(actor)
    if actor is None:
        sign_in.sign_in_page()
        return
    st.logo(ASSETS / "icon.png", size="small", link=None)
    _who(actor)
    keep_way_back()
    if actor.must_change_password and selected.url_path != "password":
        st.switch_page(ROOT / "pages" / "password.py")
    selected.run()


def navigation(actor: Actor | None) -> st.Page:
    """Register every page, so that each address is known, and show those of the actor's roles."""
    waiting = unread_count(actor) if actor is not None and INBOX.is_for(actor) else 0
    pages = {page.name: _page(page, actor, waiting) for page in PAGES if page.path.exists()}
    visible = sum(page.visibility == "visible" for page in pages.values())
    groups: dict[str, list[st.Page]] = {}
    for page in PAGES:
        if page.name in pages:
            title = _counted(page.group, waiting if page.group == INBOX.group else 0)
            group = title if visible > MOST_SIDE_BY_SIDE else ""
            groups.setdefault(group, []).append(pages[page.name])

    def home() -> None:
        st.switch_page(pages[_home_of(actor)])

    first = st.Page(home, title="首页", url_path="home", default=True, visibility="hidden")
    groups.setdefault("", []).append(first)
    unknown = _unknown_address({*pages, "home"})
    if unknown:
        groups[""].append(
            st.Page(_no_such_page, title="没有这个页面", url_path=unknown, visibility="hidden")
        )
    return st.navigation(groups, position="top" if actor else "hidden")


def _page(page: PortalPage, actor: Actor | None, waiting: int) -> st.Page:
    shown = actor is not None and not actor.must_change_password and page.is_for(actor)
    return st.Page(
        page.path,
        title=_counted(page.title, waiting if page == INBOX else 0),
        icon=f":material/{page.icon}:",
        url_path=page.name,
        visibility="visible" if shown and not page.hidden else "hidden",
    )


def _counted(title: str, waiting: int) -> str:
    """Return a title with how many messages wait: the inbox's, and that of its closed group."""
    return f"{title}（{waiting}）" if waiting else title


def _unknown_address(known: set[str]) -> str | None:
    """Return the page asked for where there is none: Streamlit's own answer to it is English."""
    asked = urlsplit(st.context.url or "").path.strip("/")
    return asked if _ADDRESS.fullmatch(asked) and asked not in known else None


def _no_such_page() -> None:
    page_frame("没有这个页面")
    st.info("地址有误，或该页面已移走。请从上方导航进入，或联系信息中心。")


def _home_of(actor: Actor | None) -> str:
    if actor is None or actor.must_change_password:
        return "password"
    return next((home for role, home in HOMES.items() if actor.has_role(role)), "password")


def _who(actor: Actor) -> None:
    with st.container(key="who"), st.popover(actor.display_name, icon=":material/person:"):
        st.page_link(str(ROOT / "pages" / "password.py"), label="修改口令", icon=":material/key:")
        st.button("退出登录", icon=":material/logout:", on_click=sign_in.sign_out, type="tertiary")
