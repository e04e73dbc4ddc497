"""A village with a few natural villages, and an evaluation of it that holds."""

from typing import Any

import psycopg

from data_access import drafts, filing, reporting
from data_access.database import transaction
from domain.access import Actor, Role
from domain.workflow import ReviewAction
from tests.actors import CITY, COUNTY, PROVINCE, make_actor
from tests.reports import act

_NAMES = ("上湾", "下湾", "石桥")


def villages_of(owner: psycopg.Connection, county: str) -> list[str]:
    """Return the codes of a county's villages, in order."""
    rows = owner.execute(
        "SELECT code FROM admin_division WHERE level = 'village' AND prefix ^@ %s ORDER BY code",
        [county],
    )
    return [code for (code,) in rows]


def add_natural_villages(owner: psycopg.Connection, village: str, count: int = 3) -> None:
    """Add natural villages to a village, and a place to both, in the middle of their county."""
    place = owner.execute(
        "SELECT label_at FROM division_boundary WHERE code = %s", [village[:6]]
    ).fetchone()
    assert place is not None
    owner.execute(
        "INSERT INTO division_location (division_code, location, valid_from)"
        " VALUES (%s, %s, '2019-01-01')",
        [village, place[0]],
    )
    for number in range(1, count + 1):
        name = _NAMES[number - 1] if number <= len(_NAMES) else f"村{number}"
        owner.execute(
            "INSERT INTO natural_village (code, name, location, valid_from)"
            " VALUES (%s, %s, %s, '2019-01-01')",
            [f"{village}{number:03}", name, place[0]],
        )


def open_village_period(owner: psycopg.Connection, year: int) -> int:
    """Open the evaluation of a year, and return its period."""
    row = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version, opened_at)"
        " VALUES ('village_evaluation', %s, %s, %s, %s, 1, 1, %s) RETURNING period_id",
        [f"{year}年", f"{year}-01-01", f"{year}-12-31", f"{year}-12-25 23:59:59+08"
         , f"{year}-01-01 00:00+08"],
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


_COMMON: dict[str, Any] = {
    "leading_industry": "1",
    "tap_water": "1",
    "sewage": "2",
    "garbage_collected": True,
    "hard_road": True,
    "geohazard_points": 0,
    "flood_risk": False,
    "trad_village_level": "0",
}


def complete(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a draft filled in so that it may be filed."""
    rows = content["natural_village"]
    village = content["form"] | _COMMON | {
        "village_class": "1",
        "natural_cnt": len(rows),
        "hukou_pop": 400 * len(rows),
        "resident_pop": 300 * len(rows),
        "households": 100 * len(rows),
        "construction_area": "12.5",
        "homestead_area": "8",
        "total_area": "500",
        "cultivated_area": "120.25",
        "pbf_area": "100",
        "erl_area": "0",
        "in_ugb_ratio": "0",
        "poverty_village": False,
        **dict.fromkeys(("clinic", "primary_school", "elder_care"), True),
        **dict.fromkeys(("culture_square", "village_office"), True),
        "plan_status": "4",
        "next_plan": False,
        "fill_phone": "13800000000",
    }  # fmt: skip
    natural = _COMMON | {
        "hukou_pop": 350,
        "resident_pop": 280,
        "households": 90,
        "construction_area": "3.5",
        "homestead_area": "2",
        "natural_class": "1",
        "is_center": False,
        "in_erl": False,
        "planned": False,
    }
    return {"form": village, "natural_village": [row | natural for row in rows]}


def open_village(actor: Actor, period_id: int, village: str) -> reporting.Submission:
    with transaction(actor, action="draft.open") as connection:
        return drafts.open_submission(connection, actor, period_id, village)


def return_late(owner: psycopg.Connection, officer: Actor, period_id: int, village: str) -> int:
    """File a village, close the period, and return the report; return its number."""
    add_natural_villages(owner, village)
    opened = open_village(officer, period_id, village)
    number = opened.submission_id
    with transaction(officer) as connection:
        state = filing.read_state(connection, officer, number)
        version = state.submission.draft_version or 0
        filing.save_checked(connection, officer, number, complete(state.content), version)
    act(officer, number, ReviewAction.SUBMIT)
    owner.execute("UPDATE reporting_period SET closed_at = now() WHERE period_id = %s", [period_id])
    reviewer = make_actor(owner, f"late_{number}", Role.COUNTY, COUNTY)
    act(reviewer, number, ReviewAction.RETURN, "请核对户籍人口")
    return number


def pass_all_steps(owner: psycopg.Connection, submission_id: int) -> Any:
    """Let county, city and province accept a report; return what the last of them led to."""
    steps = ((Role.COUNTY, COUNTY), (Role.CITY, CITY), (Role.PLAN_BUREAU, PROVINCE))
    for role, division in steps:
        reviewer = make_actor(owner, f"{role}_reviewer_{submission_id}", role, division)
        moved = act(reviewer, submission_id, ReviewAction.APPROVE)
    return moved
