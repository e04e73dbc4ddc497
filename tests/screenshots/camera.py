"""The camera: a browser signed in as any demo account, and how a picture is taken and kept."""

import csv
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path

import psycopg
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.conftest import DESK, PATIENCE, SIGNED_IN, sign_in
from tests.browser.pictures import eventually
from tests.paths import ROOT

WALL = (1920, 1080)
SAVED = re.compile(r"已保存 ")
SHOWN_WIDTH = 1280  # pixels; a page of the guide shows no more
LARGEST = 250_000  # bytes


@dataclass
class Camera:
    """A portal with its demo accounts, and a browser that keeps each account's session."""

    browser: Browser
    url: str
    data_dir: Path
    to: Path
    kept: dict[str, object] = field(default_factory=dict)

    @contextmanager
    def page(self, account: str | None, address: str, size: tuple[int, int]) -> Iterator[Page]:
        """Yield an address of the portal, opened as an account, as nobody for None."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            storage_state=self.kept.get(account or ""),  # type: ignore[arg-type]
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme="light",
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(self.url + address)
        if account is None:
            page.get_by_label("用户名").wait_for()
        else:
            if account not in self.kept:
                sign_in(page, account, self.passwords[account])
            page.locator(SIGNED_IN).wait_for()
            self.kept[account] = context.storage_state()
            settle(page)
        yield page
        context.close()

    @cached_property
    def passwords(self) -> dict[str, str]:
        with (self.data_dir / "demo_accounts.csv").open(encoding="utf-8", newline="") as file:
            return {row["username"]: row["password"] for row in csv.DictReader(file)}

    def ask(self, question: str) -> str:
        """Return the one value that a query of the portal's database yields."""
        command = [str(ROOT / "portal"), "database-url", "--data-dir", str(self.data_dir)]
        url = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        with psycopg.connect(url) as connection:
            row = connection.execute(question.encode()).fetchone()
        assert row is not None, f"the demo has nothing for: {question}"
        return str(row[0])

    def keep(self, name: str, shot: bytes) -> None:
        """Write a picture, scaled and with few colours, so that the repository stays small."""
        picture = Image.open(BytesIO(shot)).convert("RGB")
        if picture.width > SHOWN_WIDTH:
            height = round(picture.height * SHOWN_WIDTH / picture.width)
            picture = picture.resize((SHOWN_WIDTH, height), Image.Resampling.LANCZOS)
        path = self.to / f"{name}.png"
        for colours in (None, 256, 128, 64):
            few = picture.quantize(colours, Image.Quantize.MAXCOVERAGE, 4) if colours else picture
            few.save(path, optimize=True)
            if path.stat().st_size <= LARGEST:
                break
        print(f"{path}  {picture.width}×{picture.height}  {path.stat().st_size // 1000} kB")


Taking = Callable[[Camera], None]
TAKINGS: dict[str, Taking] = {}


def picture(taking: Taking) -> Taking:
    """Register what takes one picture or several that belong together."""
    TAKINGS[taking.__name__] = taking
    return taking


def settle(page: Page) -> None:
    """Wait until the page has stopped drawing: two looks alike, and nothing running."""
    seen: list[bytes] = []

    def is_still() -> bool:
        seen.append(page.screenshot())
        busy = page.locator('[data-testid="stStatusWidget"], [data-testid="stSkeleton"]').count()
        return not busy and len(seen) > 2 and seen[-1] == seen[-2] == seen[-3]

    eventually(page, is_still, "the page has stopped drawing")


def shoot(camera: Camera, name: str, page: Page, *, whole: bool = False) -> None:
    """Take the window, or the whole page."""
    settle(page)
    if whole:
        tall = page.locator('[data-testid="stMain"]').evaluate("main => main.scrollHeight")
        page.set_viewport_size({**page.viewport_size, "height": min(int(tall), 2400)})  # type: ignore[dict-item]
        settle(page)
    camera.keep(name, page.screenshot())


def plain(account: str | None, address: str, size: tuple[int, int] = DESK, *, whole: bool = False):
    """Return what takes one page as it opens."""

    def taking(camera: Camera, name: str) -> None:
        with camera.page(account, address, size) as page:
            shoot(camera, name, page, whole=whole)

    return taking


def dialog(account: str, address: str, button: str, words: str):
    """Return what takes the dialog that a button of a page opens, once it holds these words."""

    def taking(camera: Camera, name: str) -> None:
        with camera.page(account, address, DESK) as page:
            page.get_by_role("button", name=button, exact=True).click()
            page.get_by_role("dialog").get_by_text(words).wait_for()
            shoot(camera, name, page)

    return taking
