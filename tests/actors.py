"""People and places that many tests share."""

import psycopg

from domain.access import Actor, Grant, Role

COUNTY, CITY, PROVINCE = "360123", "360100", "360000"


def make_actor(owner: psycopg.Connection, username: str, role: Role, division_code: str) -> Actor:
    """Create an account with one grant, and return the actor it signs in as."""
    row = owner.execute(
        "INSERT INTO account (username, display_name, password_hash, must_change_password)"
        " VALUES (%s, %s, '!', false) RETURNING user_id",
        [username, f"{username}先生"],
    ).fetchone()
    assert row is not None
    prefix = owner.execute(
        "INSERT INTO account_grant (user_id, role, division_code, prefix)"
        " SELECT %s, %s, code, prefix FROM admin_division WHERE code = %s RETURNING prefix",
        [row[0], role, division_code],
    ).fetchone()
    assert prefix is not None
    return Actor(row[0], f"{username}先生", (Grant(role, division_code, prefix[0]),))


def session_token(owner: psycopg.Connection, actor: Actor) -> str:
    """Open a session for the actor, and return the token that stands in the browser's cookie."""
    token = f"token of {actor.user_id}"
    owner.execute(
        "INSERT INTO portal_session (token_hash, user_id, expires_at)"
        " VALUES (sha256(convert_to(%s, 'UTF8')), %s, now() + interval '1 hour')"
        " ON CONFLICT DO NOTHING",
        [token, actor.user_id],
    )
    return token
