"""Reminders, supervision items and the messages they left in inboxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from data_access.demo import words
from data_access.demo.bulk import Rows
from data_access.demo.calendar import WorkCalendar, midnight, office_hour
from data_access.demo.chains import Period
from data_access.demo.people import Division, Person, Staff
from data_access.reminders import EscalatedReminder, escalation_notice
from domain.access import Role
from domain.supervision import unit_role

_DAY = timedelta(days=1)
_MESSAGES_KEPT = 60 * _DAY
_LINK = {"reminder": "reminder", "supervision_item": "item"}
_ITEMS = ("closed", "closed", "answered", "open", "answered", "open", "open")


@dataclass(frozen=True, slots=True)
class LateUnit:
    """A unit whose headline plan is late today, and its late stage."""

    unit: Division
    plan_name: str
    stage_name: str
    due_on: date


@dataclass(frozen=True, slots=True)
class MissedPeriod:
    """A past month for which a unit filed nothing."""

    unit: Division
    period: Period


class Supervision:
    """Writes what the province did about units that are late."""

    def __init__(
        self,
        rows: Rows,
        staff: Staff,
        calendar: WorkCalendar,
        today: date,
        answer_days: int,
        rng: Random,
    ) -> None:
        self._rows = rows
        self._staff = staff
        self._calendar = calendar
        self._today = today
        self._answer_days = answer_days
        self._rng = rng

    def remind_late(self, late: Sequence[LateUnit]) -> None:
        """Remind the units that are most overdue: some answered, some did not."""
        for number, each in enumerate(sorted(late, key=lambda one: (one.due_on, one.unit.code))):
            days = (self._today - each.due_on).days
            if days < 16:
                continue
            for ago in {min(days - 5, 60 + number % 20), 1 + number % 12}:
                self._remind_late(each, self._calendar.on_or_before(self._today - ago * _DAY))

    def _remind_late(self, late: LateUnit, day: date) -> None:
        due = self._calendar.later(day, self._answer_days)
        message = words.LATE_REMINDER.format(
            plan=late.plan_name, stage=late.stage_name, days=(day - late.due_on).days, due=due
        )
        answered = (self._today - day).days > 30 or self._rng.random() < 0.4
        self._remind(late.unit, "late_milestone", message, day, words.LATE_REPLIES, answered)

    def remind_missing(self, missed: Sequence[MissedPeriod]) -> None:
        """Remind who filed nothing, on the working day after the deadline."""
        for each in missed:
            day = self._calendar.later(each.period.deadline_on, 1)
            if day < self._today:
                due = self._calendar.later(day, self._answer_days)
                message = words.NOT_FILED_REMINDER.format(period=each.period.name, due=due)
                self._remind(
                    each.unit, "not_filed", message, day, words.NOT_FILED_REPLIES, answered=True
                )

    def _remind(
        self,
        unit: Division,
        topic: str,
        message: str,
        day: date,
        replies: Sequence[str],
        answered: bool,
    ) -> None:
        sent_at = office_hour(self._rng, day)
        due = self._calendar.later(day, self._answer_days)
        answered_on = self._calendar.later(day, self._rng.randint(1, self._answer_days))
        answer: tuple[object, ...] = (None, None, None, None)
        if answered and answered_on < self._today:
            person = self._rng.choice(self._staff.filers(unit))
            reply = self._rng.choice(replies)
            answer = (person.user_id, office_hour(self._rng, answered_on), reply, None)
        elif due < self._today:
            answer = (None, None, None, midnight(due + _DAY) + timedelta(hours=1))
        sender = self._sender()
        reminder_id = self._rows.add_numbered(
            "reminder", unit.code, topic, message, sender.user_id, sent_at, due, *answer
        )
        self._notify(unit, "催办", message, sent_at, "reminder", reminder_id)
        if answer[3] is not None:
            self._escalate(unit, reminder_id, due)

    def _escalate(self, unit: Division, reminder_id: int, due: date) -> None:
        above = "city" if unit.level == "county" else "province"
        notice = escalation_notice(
            EscalatedReminder(reminder_id, unit.code, unit.name, due, unit.parent_code, above)
        )
        self._rows.add_numbered(
            "inbox_message",
            notice.role.value,
            notice.division_code,
            notice.title,
            notice.body,
            notice.link,
            midnight(due + _DAY) + timedelta(hours=1),
            notice.source_table,
            notice.source_id,
        )

    def _sender(self) -> Person:
        role = self._rng.choice((Role.LEADER, Role.PLAN_BUREAU, Role.PLAN_BUREAU))
        return self._staff.of_role(role)[0]

    def _notify(
        self,
        unit: Division,
        title: str,
        body: str,
        sent_at: datetime,
        source_table: str,
        source_id: int,
    ) -> None:
        if sent_at.date() >= self._today - _MESSAGES_KEPT:
            self._rows.add_numbered(
                "inbox_message",
                unit_role(unit.level).value,
                unit.code,
                title,
                body,
                f"supervision?{_LINK[source_table]}={source_id}",
                sent_at,
                source_table,
                source_id,
            )

    def open_items(self, late: Sequence[LateUnit]) -> None:
        """Open items for the units that are late longest, in every state."""
        worst = sorted(late, key=lambda one: (one.due_on, one.unit.code))
        for each, state in zip(worst, _ITEMS, strict=False):
            self._open_item(each, state)

    def _open_item(self, late: LateUnit, state: str) -> None:
        ago = {"closed": 90, "answered": 40, "open": 12}[state] + self._rng.randint(0, 12)
        day = self._calendar.on_or_before(self._today - ago * _DAY)
        opened_at = office_hour(self._rng, day)
        deadline = self._calendar.later(day, 30)
        leader = self._staff.of_role(Role.LEADER)[0]
        closed_at = office_hour(self._rng, self._calendar.later(day, 24))
        closing = (leader.user_id, closed_at) if state == "closed" else (None, None)
        title = f"{late.unit.name}“{late.stage_name}”节点滞后"
        requirement = words.ITEM_REQUIREMENT.format(stage=late.stage_name)
        notes = self._notes(late.unit, state, day, leader, closed_at)
        item_id = self._rows.add_numbered(
            "supervision_item",
            late.unit.code,
            title,
            requirement,
            f"{late.unit.name}自然资源局",
            deadline,
            state,
            1 + len(notes),
            leader.user_id,
            opened_at,
            *closing,
        )
        for kind, body, writer, written_at in notes:
            self._rows.add_numbered(
                "supervision_note", item_id, late.unit.code, kind, body, writer, written_at
            )
        self._notify(
            late.unit, f"督办：{title}", requirement, opened_at, "supervision_item", item_id
        )

    def _notes(
        self, unit: Division, state: str, day: date, leader: Person, closed_at: datetime
    ) -> list[tuple[str, str, int, datetime]]:
        if state == "open":
            return []
        filer = self._staff.filers(unit)[0].user_id
        first = office_hour(self._rng, self._calendar.later(day, 5))
        second = office_hour(self._rng, self._calendar.later(day, 8))
        third = office_hour(self._rng, self._calendar.later(day, 15))
        notes = [
            ("feedback", words.ITEM_FEEDBACK[0], filer, first),
            ("comment", words.ITEM_COMMENT, leader.user_id, second),
            ("feedback", words.ITEM_FEEDBACK[1], filer, third),
        ]
        if state == "closed":
            notes.append(("close", words.ITEM_CLOSING, leader.user_id, closed_at))
        return notes
