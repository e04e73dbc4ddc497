"""What a page under test shows, as text."""

from streamlit.testing.v1 import AppTest


def drawn(page: AppTest) -> str:
    """Return the HTML that the page drew."""
    return "\n".join(element.proto.body for element in page.get("html"))


def texts(page: AppTest) -> str:
    """Return the words of the page's markdown, captions and texts."""
    return "\n".join(one.value for one in [*page.markdown, *page.caption, *page.text])


def own_elements(page) -> list:
    """Return the page's own elements of ours, without those that stand on every page."""
    return [each for each in page.get("bidi_component") if each.key != "portal-way-back"]
