"""The past stays as it was shown: whatever is accepted, extended or re-weighted later."""

import random
from datetime import date, datetime, timedelta

import psycopg
import pytest

from data_access import progress
from data_access.database import transaction
from domain.access import Actor
from domain.clock import BEIJING
from domain.progress import UnitProgress
from tests.actors import COUNTY

FIRST_DAY = date(2026, 1, 1)
DAYS = 120


class History:
    """Writes what happened on one day after another, as the demo and the portal would."""

    def __init__(self, owner: psycopg.Connection, user_id: int, plan_id: int, seed: int) -> None:
        self.owner, self.user_id, self.plan_id = owner, user_id, plan_id
        self.random = random.Random(seed)
        self.stages = [
            code
            for (code,) in owner.execute(
                "SELECT stage_code FROM plan_stage WHERE plan_type = 'MASTER_COUNTY'"
                " ORDER BY stage_order"
            ).fetchall()
        ]
        self.baselines: dict[str, date] = {}
        self.version_no = 0
        self.submission_id = self._open()

    def _open(self) -> int:
        self.owner.execute(
            "UPDATE plan SET declared_at = %s WHERE plan_id = %s",
            [self._at(FIRST_DAY - timedelta(days=30)), self.plan_id],
        )
        row = self.owner.execute(
            "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
            ", form_version, workflow_version, opened_at)"
            " VALUES ('plan_progress', '一月', %s, %s, %s, 1, 1, %s) RETURNING period_id",
            [
                FIRST_DAY,
                FIRST_DAY + timedelta(days=30),
                self._at(FIRST_DAY + timedelta(days=25)),
                self._at(FIRST_DAY),
            ],
        ).fetchone()
        assert row is not None
        row = self.owner.execute(
            "INSERT INTO submission (form_code, period_id, division_code)"
            " VALUES ('plan_progress', %s, %s) RETURNING submission_id",
            [row[0], COUNTY],
        ).fetchone()
        assert row is not None
        return int(row[0])

    def _at(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 10, tzinfo=BEIJING)

    def happen(self, day: date) -> None:
        """Let one thing happen on the day: an acceptance, a decision, an extension, new weights."""
        self.random.choice([self._accept, self._accept, self._decide, self._extend, self._weigh])(
            self._at(day)
        )

    def _accept(self, at: datetime) -> None:
        stage = self.random.choice(self.stages)
        state = self.random.choice(["not_started", "running", "completed", "skipped"])
        baseline = self.baselines.setdefault(
            stage, FIRST_DAY + timedelta(days=self.random.randint(-60, 150))
        )
        self._version(at)
        self.owner.execute(
            "INSERT INTO accepted_milestone (plan_id, division_code, stage_code, state"
            ", baseline_on, completed_on, submission_id, version_no, accepted_by, accepted_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                self.plan_id,
                COUNTY,
                stage,
                state,
                baseline,
                # An old date told today changes today and never the past.
                FIRST_DAY - timedelta(days=90) if state == "completed" else None,
                self.submission_id,
                self.version_no,
                self.user_id,
                at,
            ],
        )

    def _version(self, at: datetime) -> None:
        self.version_no += 1
        self.owner.execute(
            "INSERT INTO submission_version (submission_id, version_no, division_code, round_no"
            ", form_version, rule_version, code_version, workflow_version, content"
            ", content_sha256, submitted_by, submitted_at)"
            " VALUES (%s, %s, %s, 1, 1, 1, '2020', 1, %s, '', %s, %s)",
            [
                self.submission_id,
                self.version_no,
                COUNTY,
                f'{{"form": {{"responsible_name": "第{self.version_no}人"}}}}',
                self.user_id,
                at,
            ],
        )

    def _decide(self, at: datetime) -> None:
        self._version(at)
        action, state = self.random.choice(
            [("submit", "submitted"), ("return", "returned"), ("approve", "filed")]
        )
        self.owner.execute(
            "INSERT INTO review_event (submission_id, division_code, version_no, round_no"
            ", step_no, action, from_state, to_state, to_step_no, comment, user_id, role"
            ", happened_at) VALUES (%s, %s, %s, 1, 0, %s, 'draft', %s, 0, '意见', %s, 'city', %s)",
            [self.submission_id, COUNTY, self.version_no, action, state, self.user_id, at],
        )

    def _extend(self, at: datetime) -> None:
        self.owner.execute(
            "INSERT INTO period_extension (period_id, division_code, deadline_at, reason"
            ", granted_at) SELECT period_id, %s, %s, '汛期', %s FROM reporting_period",
            [COUNTY, self._at(FIRST_DAY + timedelta(days=self.random.randint(30, 200))), at],
        )

    def _weigh(self, at: datetime) -> None:
        with self.owner.transaction():
            self.owner.execute(
                "INSERT INTO weight_version SELECT max(weight_version) + 1, '调整', 'assumed', %s"
                " FROM weight_version",
                [at],
            )
            # Each plan type's weights the other way round, so that they still add up to 100.
            self.owner.execute(
                "INSERT INTO stage_weight"
                " SELECT (SELECT max(weight_version) FROM weight_version), stage.stage_code"
                ", mirrored.weight"
                "  FROM plan_stage AS stage"
                "  JOIN (SELECT plan_type, last_order + 1 - stage_order AS stage_order, weight"
                "          FROM (SELECT plan_type, stage_order, weight"
                "                     , max(stage_order) OVER (PARTITION BY plan_type)"
                "                       AS last_order"
                "                  FROM stage_weight JOIN plan_stage USING (stage_code)"
                "                 WHERE weight_version = (SELECT max(weight_version) - 1"
                "                                           FROM weight_version)) AS previous"
                "       ) AS mirrored"
                "    USING (plan_type, stage_order)"
            )


def shown(leader: Actor, day: date) -> UnitProgress:
    moment = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=BEIJING)
    with transaction(leader, read_only=True) as connection:
        return progress.get_unit(connection, COUNTY, moment, day)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_day_showed_is_what_it_shows_for_ever(owner, leader, plan_id, seed):
    history = History(owner, leader.user_id, plan_id, seed)
    seen: dict[date, UnitProgress] = {}
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        history.happen(day)
        seen[day] = shown(leader, day)
    assert len({unit.accepted_ratio for unit in seen.values()}) > 5
    assert len({unit.late_days for unit in seen.values()}) > 5
    assert len({unit.period_state for unit in seen.values()}) > 1
    for day, unit in seen.items():
        assert shown(leader, day) == unit
        assert 0 <= unit.accepted_ratio <= 1
        assert unit.accepted_ratio + unit.pending_ratio <= 1
