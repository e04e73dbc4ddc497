"""What stands in front of Streamlit's own answers: packed assets, addresses that lead nowhere."""

import gzip
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from components.middleware import NoSuchAddress, QuietProbes
from components.packed_assets import MapsAhead, PackedAssets

SCRIPT = b"export const answer = 42;\n" * 200
LASTING = {"Cache-Control": "public, immutable, max-age=31536000"}


class Served:
    """A stand-in for Streamlit, which counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def asset(self, request):
        self.asked += 1
        headers = LASTING if request.path_params["name"] == "a.js" else {}
        return Response(SCRIPT, media_type="text/javascript", headers=headers)


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def browser(served) -> TestClient:
    page = Route("/{path:path}", lambda request: Response("page", media_type="text/html"))
    application = Starlette(
        routes=[Route("/static/{name}", served.asset), page],
        middleware=[
            Middleware(PackedAssets),
            Middleware(MapsAhead),
            Middleware(QuietProbes),
            Middleware(NoSuchAddress),
        ],
    )
    return TestClient(application, follow_redirects=False)


def test_an_asset_is_packed_once_for_all(browser, served):
    answers = [browser.get("/static/a.js") for _ in range(3)]
    assert served.asked == 1
    assert [answer.content for answer in answers] == [SCRIPT] * 3
    assert [answer.headers["content-encoding"] for answer in answers] == ["gzip"] * 3
    lengths = {int(answer.headers["content-length"]) for answer in answers}
    assert lengths == {len(gzip.compress(SCRIPT, 6))}


def test_who_takes_nothing_packed_or_asks_for_a_part_gets_it_as_it_is(browser):
    browser.get("/static/a.js")
    for header in ({"Accept-Encoding": "identity"}, {"Range": "bytes=0-9"}):
        answer = browser.get("/static/a.js", headers=header)
        assert "content-encoding" not in answer.headers
        assert answer.content == SCRIPT


def test_what_may_change_under_its_name_is_asked_for_each_time(browser, served):
    for _ in range(2):
        assert browser.get("/static/b.js").content == SCRIPT
    assert served.asked == 2


@pytest.mark.parametrize("address", ["/a/b", "/report/1", "/a/b/c", "/a//b"])
def test_a_person_at_an_address_of_several_words_is_led_to_a_page_that_says_so(browser, address):
    answer = browser.get(address, headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/404")


@pytest.mark.parametrize(
    "address", ["/", "/overview", "/report/", "/static/c.js", "/media/x/y", "/component/p/x.html"]
)
def test_other_addresses_stay(browser, address):
    assert browser.get(address, headers={"Accept": "text/html"}).status_code == 200


def test_a_program_at_such_an_address_is_not_led_away(browser):
    assert browser.get("/a/b", headers={"Accept": "application/json"}).status_code == 200


def test_a_page_with_a_map_names_the_script_of_maps_and_another_page_does_not(browser):
    script, purpose = browser.get("/overview").headers["link"].split("; ")
    assert purpose == "rel=modulepreload"
    folder = Path(streamlit.__file__).parent / "static"
    assert (folder / script.strip("<>").removeprefix("/")).is_file()
    assert "link" not in browser.get("/villages").headers
