"""Everything the unit page shows, read in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access import (
    contacts,
    periods,
    portal_settings,
    progress,
    reminders,
    reporting,
    rounds,
    supervision_items,
)
from data_access import evidence as evidence_records
from data_access.contacts import ContactLine
from data_access.evidence import Evidence
from data_access.form_checks import form_context
from data_access.forms import load_form
from data_access.periods import Extension
from data_access.progress import MilestoneView
from data_access.progress_form import FORM_CODE
from data_access.read_replica import read
from data_access.reminders import Reminder
from data_access.reporting import ReportingPeriod
from data_access.rounds import ReportHistory
from data_access.supervision_items import SupervisionItem, SupervisionNote
from domain.access import Actor, Role
from domain.forms import Context, Form
from domain.progress import LatenessLimits, UnitProgress

_FORM_VERSION = 1


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One unit as it stood at a moment, with the records behind every figure."""

    moment: datetime
    unit: UnitProgress
    limits: LatenessLimits
    milestones: list[MilestoneView]
    evidence: dict[int, Evidence]
    contacts: list[ContactLine]
    period: ReportingPeriod | None
    reports: list[ReportHistory]
    form: Form
    context: Context
    reminders: list[Reminder]
    items: list[SupervisionItem]
    notes: list[SupervisionNote]
    extensions: list[Extension]

    @property
    def headline(self) -> list[MilestoneView]:
        return [row for row in self.milestones if row.is_headline]

    @property
    def other_plans(self) -> int:
        return len({row.plan_id for row in self.milestones if not row.is_headline})


def find_home_unit(actor: Actor) -> str | None:
    """Return the unit that the actor files for, if there is one."""
    for grant in actor.grants:
        if grant.role in (Role.COUNTY, Role.CITY):
            return grant.division_code
    return None


def read_unit(actor: Actor, code: str, day: date | None) -> UnitRecord:
    """Return the unit now (None) or as it stood on a past day; raise NotFound."""
    moment, on = progress.moment_of(day)

    def record(connection: Connection) -> UnitRecord:
        unit = progress.get_unit(connection, code, moment, on)
        milestones = progress.list_milestones(connection, code, moment, on)
        items = supervision_items.list_items(connection, division_code=code, moment=moment)
        return UnitRecord(
            moment=moment,
            unit=unit,
            limits=portal_settings.lateness_limits(
                portal_settings.read_settings(connection, moment)
            ),
            milestones=milestones,
            evidence=_evidence(connection, milestones),
            contacts=contacts.list_contact_lines(
                connection, actor, FORM_CODE, code, unit.prefix, moment
            ),
            period=reporting.current_period(connection, FORM_CODE),
            reports=rounds.list_reports(connection, FORM_CODE, code, moment),
            form=load_form(connection, FORM_CODE, _FORM_VERSION),
            context=form_context(connection, FORM_CODE, code),
            reminders=reminders.list_reminders(connection, division_code=code, moment=moment),
            items=items,
            notes=supervision_items.list_notes(
                connection, [each.supervision_item_id for each in items]
            ),
            extensions=periods.list_extensions(connection, division_code=code, moment=moment),
        )

    return read(actor, record)


def _evidence(connection: Connection, milestones: Sequence[MilestoneView]) -> dict[int, Evidence]:
    plan_ids = {row.plan_id for row in milestones if row.is_headline}
    return {
        each.evidence_id: each
        for plan_id in plan_ids
        for each in evidence_records.list_for_plan(connection, plan_id)
    }
