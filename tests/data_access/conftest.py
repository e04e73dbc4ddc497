"""What many tests of the database start from: a village with its officer."""

import psycopg
import pytest

from domain.access import Actor, Role
from tests.actors import COUNTY, make_actor
from tests.villages import add_natural_villages, villages_of


@pytest.fixture
def village(owner: psycopg.Connection) -> str:
    """The first village of 安义县, with three natural villages."""
    code = villages_of(owner, COUNTY)[0]
    add_natural_villages(owner, code)
    return code


@pytest.fixture
def officer(owner: psycopg.Connection, village: str) -> Actor:
    """Who files for the village's township."""
    return make_actor(owner, "officer", Role.TOWNSHIP, village[:9])
