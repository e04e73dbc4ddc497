"""What a unit reports of its plans each month: what it says, what was accepted, what came back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from data_access.demo import words
from data_access.demo.bulk import Rows
from data_access.demo.evidence import EvidenceStore
from data_access.demo.people import Division, Person, Staff
from data_access.demo.reports import FormVersions, Report, ReportHistory, Values, plain
from data_access.demo.timelines import StageLine
from domain.forms import path_of
from domain.progress import Disposition, MilestoneState
from domain.workflow import WorkflowStep

_ACCEPTED_FIELDS = (
    "state", "replanned_on", "replan_reason", "started_on", "completed_on", "skip_reason",
    "late_reason",
)  # fmt: skip
_COMPARED_FIELDS = tuple(name for name in _ACCEPTED_FIELDS if name != "replan_reason")
# Of what waits for a decision: so that a reviewer meets the warning.
_SHARE_THAT_REPEATS_A_FILE = 0.25


@dataclass(slots=True)
class PlanHistory:
    """A plan of the unit; from `merged_from` on it is merged into the city's."""

    plan_id: int
    name: str
    is_headline: bool
    lines: list[StageLine]
    declared_from: date
    merged_from: date | None = None
    merge_reason: str = ""
    evidence: dict[str, dict[str, int]] = field(default_factory=dict)
    accepted: dict[str, Values] = field(default_factory=dict)
    accepted_as: Disposition = Disposition.COMPILING

    def disposition_on(self, day: date) -> Disposition:
        merged = self.merged_from is not None and self.merged_from <= day
        return Disposition.MERGED if merged else Disposition.COMPILING


class PlanProgressHistory(ReportHistory):
    """Writes the months of one unit."""

    def __init__(
        self,
        rows: Rows,
        store: EvidenceStore,
        staff: Staff,
        unit: Division,
        steps: Sequence[WorkflowStep],
        plans: list[PlanHistory],
        versions: FormVersions,
        province_code: str,
        rng: Random,
    ) -> None:
        super().__init__(rows, store, staff, unit, steps, versions, province_code, rng)
        self._plans = plans

    def _content(self, report: Report, at: datetime, *, flawed: bool) -> dict[str, Any]:
        day = at.date()
        for plan in self._plans:
            self._gather_evidence(plan, report, at)
        declared = [plan for plan in self._plans if plan.declared_from <= day]
        milestones = [row for plan in declared for row in self._milestones(plan, day)]
        content = {
            "form": self._form(report.filer, milestones),
            "plan": [self._plan_row(plan, day) for plan in declared],
            "milestone": milestones,
        }
        if flawed:
            self._spoil(report, content, day)
        return content

    def _form(self, filer: Person, milestones: Sequence[Values]) -> Values:
        fresh = [row for row in milestones if self._is_news(row)]
        names = {
            line.stage.stage_code: line.stage.name for plan in self._plans for line in plan.lines
        }
        done = [names[row["stage_code"]] for row in fresh if row["state"] == "completed"]
        running = [names[row["stage_code"]] for row in milestones if row["state"] == "running"]
        return {
            "contact_name": filer.display_name,
            "contact_phone": filer.phone,
            "responsible_name": self._responsible,
            "work_summary": words.summary(done[-3:], running),
            "issues": self._rng.choice(words.ISSUES) or None,
            "note": None,
        }

    def _is_news(self, row: Values) -> bool:
        plan = next(plan for plan in self._plans if plan.plan_id == row["plan_id"])
        known = plan.accepted.get(row["stage_code"])
        return known is None or known["state"] != row["state"]

    def _plan_row(self, plan: PlanHistory, day: date) -> Values:
        disposition = plan.disposition_on(day)
        merged = disposition is Disposition.MERGED
        return {
            "key": str(plan.plan_id),
            "plan_id": plan.plan_id,
            "disposition": disposition.value,
            "disposition_reason": plan.merge_reason if merged else None,
        }

    def _milestones(self, plan: PlanHistory, day: date) -> list[Values]:
        merged = plan.disposition_on(day) is Disposition.MERGED
        rows = []
        for line in plan.lines:
            code = line.stage.stage_code
            values = _HIDDEN if merged else line.values_on(day)
            done = values["state"] == MilestoneState.COMPLETED
            rows.append(
                {"key": f"{plan.plan_id}/{code}", "plan_id": plan.plan_id, "stage_code": code}
                | {name: plain(value) for name, value in values.items()}
                | {
                    "note": None,
                    "evidence": dict(plan.evidence[code]) if done else None,
                }
            )
        return rows

    def _gather_evidence(self, plan: PlanHistory, report: Report, at: datetime) -> None:
        chain = report.chain
        careless = not chain.is_filed and chain.period.closed_at is None
        repeats = careless and self._rng.random() < _SHARE_THAT_REPEATS_A_FILE
        for line in plan.lines:
            code = line.stage.stage_code
            if code in plan.evidence or plan.disposition_on(at.date()) is Disposition.MERGED:
                continue
            if line.state_on(at.date()) is MilestoneState.COMPLETED:
                uploaded_at = at - timedelta(minutes=self._rng.randint(4, 20))
                plan.evidence[code] = {
                    item: self._store.add(
                        (plan.plan_id, self._unit.code, plan.name),
                        line.stage,
                        item,
                        report.filer.user_id,
                        uploaded_at - timedelta(seconds=23 * number),
                        title=line.stage.evidence_items[0] if repeats else "",
                    )
                    for number, item in enumerate(line.stage.evidence_items)
                }

    def _spoil(self, report: Report, content: dict[str, Any], day: date) -> None:
        """Leave in the content what the reviewer will return it for."""
        fresh = [
            row
            for row in content["milestone"]
            if row["state"] == MilestoneState.COMPLETED and self._is_news(row)
        ]
        for row in fresh[-1:]:
            wrong = date.fromisoformat(row["completed_on"]) + timedelta(days=2)
            if wrong <= day:
                row["completed_on"] = wrong.isoformat()
                report.open_remarks = [self._remark("milestone", row["key"], "completed_on")]
                return
        content["form"]["work_summary"] = words.VAGUE_SUMMARY
        report.open_remarks = [self._remark("form", "", "work_summary")]

    def _remark(self, group: str, key: str, code: str) -> tuple[int, int, str, str, str]:
        by_date = group == "milestone"
        reason = words.DATE_REASON if by_date else words.SUMMARY_REASON
        reply = words.DATE_REPLY if by_date else words.SUMMARY_REPLY
        return (self._rows.number("review_remark"), 0, path_of(group, key, code), reason, reply)

    def _nothing_new(self, content: dict[str, Any]) -> bool:
        plans = {plan.plan_id: plan for plan in self._plans}
        for row in content["milestone"]:
            known = plans[row["plan_id"]].accepted.get(row["stage_code"])
            if known is None and not _says_something(row):
                continue
            facts = _facts(row)
            if known is None or any(known[name] != facts[name] for name in _COMPARED_FIELDS):
                return False
        return all(
            plans[row["plan_id"]].accepted_as.value == row["disposition"] for row in content["plan"]
        )

    def _add_filed(self, report: Report) -> None:
        for row in report.content["milestone"]:
            self._rows.add(
                "filed_milestone",
                report.submission_id,
                report.version_no,
                self._unit.code,
                row["plan_id"],
                row["stage_code"],
                row["state"] or MilestoneState.NOT_STARTED.value,
                row["planned_on"],
                row["replanned_on"],
                row["replan_reason"],
                row["started_on"],
                row["completed_on"],
                row["skip_reason"],
                row["late_reason"],
                row["note"],
                _evidence_ids(row),
            )

    def _accept_rows(self, report: Report, by: tuple[int, int, int, datetime]) -> None:
        plans = {plan.plan_id: plan for plan in self._plans}
        for row in report.content["milestone"]:
            self._accept_milestone(plans[row["plan_id"]], row, by)
        for row in report.content["plan"]:
            plan = plans[row["plan_id"]]
            if plan.accepted_as.value != row["disposition"]:
                plan.accepted_as = Disposition(row["disposition"])
                self._rows.add_numbered(
                    "accepted_disposition",
                    plan.plan_id,
                    self._unit.code,
                    row["disposition"],
                    row["disposition_reason"] or "",
                    *by,
                )

    def _accept_milestone(
        self, plan: PlanHistory, row: Values, by: tuple[int, int, int, datetime]
    ) -> None:
        known = plan.accepted.get(row["stage_code"])
        if known is None and not _says_something(row):
            return
        facts = _facts(row)
        if known and known["planned_on"]:
            facts["planned_on"] = known["planned_on"]
        if facts == known:
            return
        plan.accepted[row["stage_code"]] = facts
        self._rows.add_numbered(
            "accepted_milestone",
            plan.plan_id,
            self._unit.code,
            row["stage_code"],
            facts["state"],
            facts["planned_on"],
            *(facts[name] for name in _ACCEPTED_FIELDS[1:]),
            facts["evidence_ids"],
            *by,
        )


# Of a merged plan the form shows no milestones, and what is not shown is not filed.
_HIDDEN: Values = {
    "state": None,
    "planned_on": None,
    "replanned_on": None,
    "replan_reason": None,
    "started_on": None,
    "completed_on": None,
    "skip_reason": None,
    "late_reason": None,
}


def _facts(row: Values) -> Values:
    """Return what acceptance takes from a filed milestone."""
    facts = {name: row[name] for name in (*_ACCEPTED_FIELDS, "planned_on")}
    facts["state"] = row["state"] or MilestoneState.NOT_STARTED.value
    return facts | {"evidence_ids": _evidence_ids(row)}


def _says_something(row: Values) -> bool:
    state = row["state"] or MilestoneState.NOT_STARTED
    return state != MilestoneState.NOT_STARTED or row["planned_on"] is not None


def _evidence_ids(row: Values) -> list[int]:
    evidence: dict[str, int] = row["evidence"] or {}
    return [evidence[item] for item in sorted(evidence)]
