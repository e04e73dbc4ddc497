"""Where a page is, for links from one page to another."""

from pathlib import Path

_PAGES = Path(__file__).parents[1] / "pages"


def page_path(name: str) -> str:
    """Return the path of pages/<name>.py, the same whatever script Streamlit started with."""
    return str(_PAGES / f"{name}.py")
