"""The officers of a storm: accounts of their own, each with villages that nobody else fills in."""

from collections.abc import Iterator

import bcrypt
import psycopg

from domain.clock import today
from tests.benchmarks.storm_officer import Post
from tests.villages import add_natural_villages, open_village_period

_VILLAGES = 2  # for each officer: the third that is filled in was submitted before
_NATURAL_VILLAGES = 9  # of each village, where the database has none
_PASSWORD = "Feng-bao-2026"
_PERIOD = """
SELECT period_id FROM reporting_period
 WHERE form_code = 'village_evaluation' AND closed_at IS NULL ORDER BY starts_on DESC LIMIT 1
"""
# Townships with enough villages that nobody has filed, the emptiest first.
_TOWNSHIPS = """
SELECT left(village.code, 9), (array_agg(village.code ORDER BY village.code))[:%(villages)s]
  FROM admin_division AS village
  LEFT JOIN submission
    ON submission.division_code = village.code AND submission.period_id = %(period)s
 WHERE village.level = 'village' AND coalesce(submission.version_no, 0) = 0
   AND coalesce(submission.state, 'draft') = 'draft'
 GROUP BY 1 HAVING count(*) >= %(villages)s
 ORDER BY bool_or(submission.submission_id IS NOT NULL), 1
 LIMIT %(officers)s
"""
_ACCOUNT = """
WITH made AS (
    INSERT INTO account (username, display_name, password_hash, must_change_password)
    VALUES (%(name)s, %(name)s, %(hash)s, false) RETURNING user_id)
INSERT INTO account_grant (user_id, role, division_code, prefix)
SELECT user_id, 'township', code, prefix FROM made, admin_division WHERE code = %(town)s || '000'
    OR code = %(town)s
RETURNING user_id
"""


def recruit(owner_url: str, officers: int, rounds: int) -> list[Post]:
    """Make so many accounts, each for a township; `rounds` are bcrypt's, 12 in the portal."""
    secret = bcrypt.hashpw(_PASSWORD.encode(), bcrypt.gensalt(rounds)).decode()
    with psycopg.connect(owner_url) as owner:
        found = owner.execute(_PERIOD).fetchone()
        period = found[0] if found else open_village_period(owner, today().year)
        asked = {"villages": _VILLAGES, "period": period, "officers": officers}
        towns = owner.execute(_TOWNSHIPS, asked).fetchall()
        assert len(towns) == officers, f"only {len(towns)} townships have villages to fill in"
        return list(_posts(owner, towns, secret))


def _posts(
    owner: psycopg.Connection, towns: list[tuple[str, list[str]]], secret: str
) -> Iterator[Post]:
    for number, (town, villages) in enumerate(towns, 1):
        name = f"storm_{number:03}"
        row = owner.execute(_ACCOUNT, {"name": name, "hash": secret, "town": town}).fetchone()
        assert row is not None, town
        for village in villages:
            if owner.execute(
                "SELECT FROM natural_village WHERE code ^@ %s LIMIT 1", [village]
            ).fetchone() is None:  # fmt: skip
                add_natural_villages(owner, village, _NATURAL_VILLAGES)
        address = f"10.1.{number // 250}.{number % 250 + 1}"
        yield Post(row[0], name, _PASSWORD, address, tuple(villages))
