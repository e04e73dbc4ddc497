"""Where a page is, for links from one page to another."""

from pathlib import Path

_PAGES = Path(__file__).parents[1] / "pages"


def page_path(name: str) -> str:
    """Return the path of pages/<name>.py, which holds whatever script Streamlit was started with."""
    return str(_PAGES / f"{name}.py")
