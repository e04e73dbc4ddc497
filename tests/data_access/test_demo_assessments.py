"""The invented figures of the assessment: the province has targets, and stands at its levels."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from data_access.demo import assessments

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def loaded(cluster: Path, template: str) -> Iterator[psycopg.Connection]:
    """A database with somebody in every unit, the figures, and nothing else of the demo."""
    name = "portal_figures"
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        with psycopg.connect(
            f"host={cluster} user=owner dbname={name}", autocommit=True
        ) as connection:
            people_in_every_unit(connection)
            assessments.load(f"postgresql://owner@/{name}?host={cluster}", today=TODAY)
            yield connection
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def people_in_every_unit(connection: psycopg.Connection) -> None:
    connection.execute(
        "WITH desk AS (SELECT code, prefix, CASE level WHEN 'province' THEN 'plan_bureau'"
        " ELSE level END AS role FROM admin_division"
        " WHERE level IN ('province', 'city', 'county')), person AS ("
        "INSERT INTO account (username, display_name, password_hash, must_change_password)"
        " SELECT 'u' || code, code, '!', false FROM desk RETURNING user_id, display_name)"
        " INSERT INTO account_grant (user_id, role, division_code, prefix)"
        " SELECT user_id, role, code, prefix FROM person JOIN desk ON code = display_name"
    )


def test_most_of_what_the_province_has_targets_for_is_rated(loaded):
    levels = dict(
        loaded.execute(
            "SELECT result.level, count(*) FROM assessment_result AS result"
            "  JOIN admin_division AS top ON top.code = result.division_code"
            "   AND top.level = 'province'"
            "  JOIN indicator_canonical AS canonical USING (canonical_code)"
            " WHERE result.report_year = 2025 AND canonical.value_kind = 'ratio'"
            "   AND profile_code IN ('HIGHER', 'LOWER') GROUP BY result.level"
        ).fetchall()
    )
    rated = sum(n for level, n in levels.items() if level not in ("no_data", "unrated"))
    assert rated > 0.8 * sum(levels.values())
    assert levels.keys() & {"severe", "warn", "watch", "hint"}
    assert levels.get("unrated"), "some are not issued"


def test_no_share_has_a_target_above_a_hundred_percent(loaded):
    wrong = loaded.execute(
        "SELECT division_code, canonical_code, target_value, base_value FROM indicator_target"
        "  JOIN indicator_canonical USING (canonical_code)"
        " WHERE is_share AND greatest(target_value, base_value) > 100"
    ).fetchall()
    assert wrong == []


def test_targets_say_that_they_are_invented(loaded):
    unsaid = loaded.execute(
        "SELECT count(*) FROM indicator_target"
        " WHERE state = 'issued' AND document_no NOT LIKE '%演示%'"
    ).fetchone()
    assert unsaid == (0,)
