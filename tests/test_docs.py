"""The documents say what is: commands, settings, terms, links, pictures."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from data_access.commands import SUMMARIES
from tests.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = "".join(
    path.read_text("utf-8")
    for folder in ("domain", "data_access", "components", "pages")
    for path in (ROOT / folder).rglob("*.py")
) + (ROOT / "app.py").read_text("utf-8")


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    local = [target for target in targets if not target.startswith(("http:", "https:"))]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_commands_named_in_a_page_exist(page):
    named = set(re.findall(r"\./portal ([a-z][a-z-]*)", page.read_text("utf-8")))
    assert named - set(SUMMARIES) == set()


def test_every_command_is_explained():
    pages = ("operations.md", "development.md")
    explained = "".join((ROOT / "docs" / page).read_text("utf-8") for page in pages)
    shown = {name for name, (_, summary) in SUMMARIES.items() if summary}
    assert {name for name in shown if f"portal {name}" not in explained} == set()


def test_every_setting_of_the_environment_is_explained_and_exists():
    explained = set(
        re.findall(r"PORTAL_[A-Z_]+[A-Z]", (ROOT / "docs/operations.md").read_text("utf-8"))
    )
    used = set(re.findall(r"PORTAL_[A-Z_]+[A-Z]", CODE))
    assert used - explained == set()
    assert explained - used == set()


def test_terms_of_the_glossary_are_the_schemas_and_the_codes():
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    terms = re.findall(r"^\| `([a-z_]+)`", glossary, re.MULTILINE)
    known = (ROOT / "docs" / "schema.md").read_text("utf-8") + CODE
    assert len(terms) > 40
    assert [term for term in terms if term not in known] == []


def test_both_readmes_have_the_same_parts():
    def parts(name: str) -> int:
        return len(re.findall(r"^## ", (ROOT / name).read_text("utf-8"), re.MULTILINE))

    assert parts("README.md") == parts("README.zh-CN.md")


def test_decisions_fit_a_page_and_are_listed_by_their_titles():
    listed = (ROOT / "docs" / "decisions.md").read_text("utf-8")
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        text = page.read_text("utf-8")
        assert text.count("\n") <= 30, page.name
        number, _, title = text.partition("\n")[0].removeprefix("# ").partition(" ")
        assert number == page.name[:4]
        assert f"- [{int(number)} {title}](decisions/{page.name})\n" in listed


def test_help_lists_every_command():
    command = [str(ROOT / "portal"), "help"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    shown = {name for name, (_, summary) in SUMMARIES.items() if summary}
    assert {name for name in shown if name not in printed.stdout} == set()
