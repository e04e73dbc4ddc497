"""Times as a person reads them."""

from datetime import UTC, datetime

import pytest

from domain.clock import moment


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (datetime(2026, 11, 22, 2, 32, tzinfo=UTC), "11月22日 10:32"),
        (datetime(2025, 12, 25, 15, 59, tzinfo=UTC), "2025年12月25日 23:59"),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), "1月1日 00:00"),
    ],
)
def test_a_moment_of_another_year_says_so(monkeypatch, at, words):
    monkeypatch.setenv("PORTAL_NOW", "2026-11-23T08:00:00+08:00")
    assert moment(at) == words
