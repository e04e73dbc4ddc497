"""Where a page is, for links from one page to another."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

_PAGES = Path(__file__).parents[1] / "pages"


def page_path(name: str) -> str:
    """Return the path of pages/<name>.py, the same whatever script Streamlit started with."""
    return str(_PAGES / f"{name}.py")


def address(page: str, query: Mapping[str, str]) -> str:
    """Return the address of a page, relative to this one."""
    return f"{page}?{urlencode(query)}" if query else page
