"""A form on a page of its own: the real scripts and checks, without portal and database."""

import json
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route

from components.form_editor import (
    describe,
    describe_problems,
    describe_rows,
    describe_values,
    editor_script,
    editor_style,
    grid_script,
    grid_url,
    labels,
)
from domain.form_rules import check
from domain.form_values import changed_by_normalising, flatten, normalise
from domain.forms import Content, Context, Form, with_all_rows

HOME = "http://localhost:9"  # nobody listens there: every answer is given here
SAVED = "已保存 10:00:00"
# As in Streamlit: the element lives in a shadow root, its script is a module from nowhere.
_PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><body style="margin:16px">
<div id="host"></div><script type="module">
const root = document.getElementById("host").attachShadow({ mode: "open" });
const style = document.createElement("style");
style.textContent = await (await fetch("/editor.css")).text();
root.append(style);
const source = await (await fetch("/editor.js")).text();
const { default: formEditor } = await import(
  URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
const data = { submission_id: 1, user_id: 7, revision: 1, page: 0, grid_url: GRID_URL };
formEditor({ data, parentElement: root, setTriggerValue: () => {} });
</script></body></html>"""


class FormDesk:
    """Answers what a form's page asks, as the portal would, and remembers what was saved."""

    def __init__(self, form: Form, context: Context, content: Content | None = None) -> None:
        self.form, self.context = form, context
        self.content = with_all_rows(form, content or {}, context)
        self.version = 1
        self.returned: dict[str, Any] = {}
        self.saves: list[Content] = []
        self.is_away = False
        self.gave_grid = False

    def save_elsewhere(self, group: str, row: int, field: str, value: object) -> None:
        """Change a field as somebody else at another desk."""
        self.content[group][row][field] = value
        self.version += 1

    def send_back(self, path: str, reason: str) -> None:
        """Return what is in the form now, for one field of it."""
        came_back = {"reviewer": "王五", "at": "11月20日 12:29", "round": 1, "comment": ""}
        remark = {"id": 1, "path": path, "reason": reason, "reply": None}
        remark["label"] = labels(self.form, self.content, self.context)[path]
        sent = flatten(self.form, self.content)
        self.returned = {"returned": came_back, "remarks": [remark], "sent_back": sent}

    def open(self, browser: Browser, size: tuple[int, int] = (1366, 768)) -> Page:
        """Open the form in a browser of its own."""
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN"
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.route("**/*", self._answer)
        page = context.new_page()
        page.goto(f"{HOME}/")
        return page

    def value(self, group: str, row: int, field: str) -> Any:
        """Return what the server has in a field."""
        return self.content[group][row][field]

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/":
            body = _PAGE.replace("GRID_URL", json.dumps(grid_url()))
            route.fulfill(body=body, content_type="text/html")
        elif path == "/editor.js":
            route.fulfill(body=editor_script(), content_type="text/javascript")
        elif path == "/editor.css":
            route.fulfill(body=editor_style(), content_type="text/css")
        elif path == grid_url():
            self.gave_grid = True
            route.fulfill(body=grid_script(), content_type="text/javascript")
        elif path == "/api/drafts/1" and self.is_away and route.request.method == "PUT":
            route.abort()
        elif path == "/api/drafts/1":
            self._draft(route)
        else:
            route.fulfill(status=404, body="{}")

    def _draft(self, route: Route) -> None:
        if route.request.method == "GET":
            route.fulfill(json=self._state())
            return
        body = json.loads(route.request.post_data or "{}")
        sent = body["content"]
        if body["draft_version"] != self.version:
            route.fulfill(status=409, json=self._conflict())
            return
        self.saves.append(sent)
        self.version += 1
        self.content = with_all_rows(self.form, normalise(self.form, sent), self.context)
        route.fulfill(
            json={
                "draft_version": self.version,
                "saved_at_text": "10:00:00",
                "normal": changed_by_normalising(self.form, sent),
                "problems": self._problems(),
            }
        )

    def _conflict(self) -> dict[str, Any]:
        saved = {"saved_by": "李四", "saved_at_text": "09:59:00", "draft_version": self.version}
        return {"error": "DraftConflict", "message": "", "content": self.content, **saved}

    def _problems(self) -> list[dict[str, str]]:
        return describe_problems(check(self.form, self.content, self.context))

    def _state(self) -> dict[str, Any]:
        return {
            "submission": {"lock_version": 1, "state": "draft", "no_change": False},
            "can": {"save": True, "submit": True, "withdraw": False},
            "form": describe(self.form),
            "rows": describe_rows(self.form, self.context),
            "excluded": {},
            "values": describe_values({"today": self.context.today, **self.context.values}),
            "labels": labels(self.form, self.content, self.context),
            "content": self.content,
            "draft_version": self.version,
            "saved_by": None,
            "saved_at_text": "09:00:00",
            "accepted": {},
            "problems": self._problems(),
            "returned": None,
            "remarks": [],
            "accept": ".pdf",
            **self.returned,
        }


def as_block(rows: list[list[str]]) -> str:
    """Write a block as a spreadsheet puts it into the clipboard."""
    quoted = [[f'"{text}"' if "\n" in text else text for text in row] for row in rows]
    return "\r\n".join("\t".join(row) for row in quoted) + "\r\n"


def paste(page: Page, rows: list[list[str]]) -> None:
    """Paste as the browser does: an event at what has the focus, with text and a table."""
    table = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in rows)
    page.evaluate(
        """([text, html]) => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          data.setData("text/html", html);
          let at = document.activeElement;
          while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
          const given = { clipboardData: data, bubbles: true, composed: true, cancelable: true };
          at.dispatchEvent(new ClipboardEvent("paste", given));
        }""",
        [as_block(rows), f"<table>{table}</table>"],
    )
