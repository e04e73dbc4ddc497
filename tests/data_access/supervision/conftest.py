"""Who supervises, and whom."""

import psycopg
import pytest

from domain.access import Actor, Grant, Role
from tests.supervision import ANYI, JINXIAN, NANCHANG, People


@pytest.fixture
def people(owner: psycopg.Connection) -> People:
    """One account for each role that supervision concerns, with its grant."""

    def actor(name: str, role: Role, code: str, prefix: str) -> Actor:
        row = owner.execute(
            "INSERT INTO account (username, display_name, password_hash) VALUES (%s, %s, '!')"
            " RETURNING user_id",
            (f"{name}.test", name),
        ).fetchone()
        owner.execute(
            "INSERT INTO account_grant (user_id, role, division_code, prefix, valid_from)"
            " VALUES (%s, %s, %s, %s, '2020-01-01')",
            (row[0], role, code, prefix),
        )
        return Actor(row[0], name, (Grant(role, code, prefix),))

    [(system_id,)] = owner.execute("SELECT user_id FROM account WHERE username = 'system'")
    return People(
        leader=actor("leader", Role.LEADER, "360000", "36"),
        bureau=actor("bureau", Role.PLAN_BUREAU, "360000", "36"),
        city=actor("city", Role.CITY, NANCHANG, "3601"),
        county=actor("county", Role.COUNTY, ANYI, "360123"),
        neighbour=actor("neighbour", Role.COUNTY, JINXIAN, "360124"),
        system=Actor(system_id, "系统", (Grant(Role.PLAN_BUREAU, "360000", "36"),)),
    )
