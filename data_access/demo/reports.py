"""The reports of one unit: what it filed each month, what was returned, what was accepted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from data_access.demo import words
from data_access.demo.bulk import Rows
from data_access.demo.chains import Chain, Event
from data_access.demo.evidence import EvidenceStore
from data_access.demo.people import Division, Person, Staff
from data_access.demo.timelines import StageLine
from domain.access import Role
from domain.forms import path_of
from domain.progress import Disposition, MilestoneState
from domain.receipts import content_sha256, receipt_hash
from domain.workflow import ReviewAction, SubmissionState, WorkflowStep

_ACCEPTED_FIELDS = (
    "state", "replanned_on", "replan_reason", "started_on", "completed_on", "skip_reason",
    "late_reason",
)  # fmt: skip
_COMPARED_FIELDS = tuple(name for name in _ACCEPTED_FIELDS if name != "replan_reason")
# Of what waits for a decision: so that a reviewer meets the warning.
_SHARE_THAT_REPEATS_A_FILE = 0.25
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FormVersions:
    """The versions that everything filed was made under."""

    form_code: str
    form_version: int
    rule_version: int
    code_version: str
    workflow_version: int
    receipt_prefix: str = ""


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


@dataclass(slots=True)
class Report:
    """A report in the making: what the rows of `submission` and its versions need."""

    submission_id: int
    chain: Chain
    filer: Person
    content: dict[str, Any] = field(default_factory=dict)
    version_no: int = 0
    round_no: int = 1
    state: SubmissionState = SubmissionState.DRAFT
    step_no: int = 0
    no_change: bool = False
    receipt: tuple[str, str, datetime] | None = None
    open_remarks: list[tuple[int, int, str, str, str]] = field(default_factory=list)


class UnitHistory:
    """Writes the rows of one unit, month after month."""

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
        self._rows = rows
        self._store = store
        self._staff = staff
        self._unit = unit
        self._steps = {step.step_no: step for step in steps}
        self._plans = plans
        self._versions = versions
        self._province_code = province_code
        self._rng = rng
        self._responsible = words.person(rng)

    def tell(self, chain: Chain) -> None:
        """Write a month: the submission, its versions, its decisions, and what was accepted."""
        if not chain.events and chain.draft_at is None:
            return
        filer = self._rng.choice(self._staff.filers(self._unit))
        report = Report(self._rows.number("submission"), chain, filer)
        for number, event in enumerate(chain.events):
            following = chain.events[number + 1 :]
            if event.action is ReviewAction.SUBMIT:
                self._submit(report, event, following)
            else:
                self._decide(report, event)
        if chain.draft_at:
            report.content = self._content(report, chain.draft_at, flawed=False)
        self._add_submission(report)

    # FILING

    def _submit(self, report: Report, event: Event, following: Sequence[Event]) -> None:
        returned = next((e for e in following if e.action is not ReviewAction.APPROVE), None)
        flawed = returned is not None and returned.action is ReviewAction.RETURN
        self._reply(report, event.at)
        report.content = self._content(report, event.at, flawed=flawed)
        report.version_no += 1
        report.no_change = (
            report.version_no == 1
            and not flawed
            and self._nothing_new(report.content)
            and self._rng.random() < 0.85
        )
        self._add_version(report, event)
        target = min(self._steps)
        self._add_event(report, event, SubmissionState.SUBMITTED, target, "", report.filer)

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
                | {name: _plain(value) for name, value in values.items()}
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

    def _add_version(self, report: Report, event: Event) -> None:
        versions = self._versions
        self._rows.add(
            "submission_version",
            report.submission_id,
            report.version_no,
            self._unit.code,
            report.round_no,
            versions.form_version,
            versions.rule_version,
            versions.code_version,
            versions.workflow_version,
            report.content,
            content_sha256(report.content),
            report.no_change,
            report.filer.user_id,
            event.at,
        )
        self._add_filed(report)

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

    def _reply(self, report: Report, at: datetime) -> None:
        for number, event_id, path, reason, reply in report.open_remarks:
            answer = (reply, report.filer.user_id, at)
            self._add_remark(report, number, event_id, path, reason, answer)
        report.open_remarks = []

    def _add_remark(
        self,
        report: Report,
        number: int,
        event_id: int,
        path: str,
        reason: str,
        answer: tuple[str | None, int | None, datetime | None],
    ) -> None:
        self._rows.add(
            "review_remark",
            number,
            event_id,
            report.submission_id,
            self._unit.code,
            path,
            reason,
            *answer,
        )

    # REVIEWING

    def _decide(self, report: Report, event: Event) -> None:
        step = self._steps[event.step_no]
        scope = self._unit.parent_code if step.scope_level == "city" else self._province_code
        reviewer = self._staff.reviewer(step.role, scope, self._rng)
        if event.action is ReviewAction.RETURN:
            comment = self._rng.choice(words.RETURN_COMMENTS)
            event_id = self._add_event(
                report, event, SubmissionState.RETURNED, 0, comment, reviewer
            )
            report.round_no += 1
            report.open_remarks = [
                (number, event_id, path, reason, reply)
                for number, _, path, reason, reply in report.open_remarks
            ]
            return
        later = [number for number in self._steps if number > event.step_no]
        if later:
            self._add_event(report, event, SubmissionState.SUBMITTED, min(later), "", reviewer)
            return
        self._add_event(report, event, SubmissionState.FILED, 0, "", reviewer)
        self._accept(report, event.at, reviewer)

    def _add_event(
        self,
        report: Report,
        event: Event,
        state: SubmissionState,
        step_no: int,
        comment: str,
        person: Person,
    ) -> int:
        event_id = self._rows.add_numbered(
            "review_event",
            report.submission_id,
            self._unit.code,
            report.version_no,
            report.round_no,
            event.step_no,
            event.action.value,
            report.state.value,
            state.value,
            step_no,
            comment,
            person.user_id,
            person.role.value,
            event.at,
        )
        report.state, report.step_no = state, step_no
        return event_id

    def _accept(self, report: Report, at: datetime, reviewer: Person) -> None:
        period = report.chain.period
        month = f"{self._versions.receipt_prefix}{period.starts_on:%Y%m}"
        number = f"{month}-{self._unit.code}-{report.version_no:02d}"
        hashed = receipt_hash(number, content_sha256(report.content), at)
        report.receipt = (number, hashed, at)
        self._rows.add(
            "submission_receipt",
            report.submission_id,
            report.version_no,
            self._unit.code,
            *report.receipt,
        )
        self._accept_rows(report, (report.submission_id, report.version_no, reviewer.user_id, at))

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

    # THE SUBMISSION ITSELF

    def _add_submission(self, report: Report) -> None:
        chain = report.chain
        submitted = [e.at for e in chain.events if e.action is ReviewAction.SUBMIT]
        began_at = (submitted[0] if submitted else chain.draft_at) or chain.period.opened_at
        created_at = began_at - timedelta(minutes=self._rng.randint(25, 120))
        number, hashed, filed_at = report.receipt or (None, None, None)
        self._rows.add(
            "submission",
            report.submission_id,
            self._versions.form_code,
            chain.period.period_id,
            self._unit.code,
            report.state.value,
            report.step_no,
            report.round_no,
            report.version_no,
            1 + len(chain.events),
            report.no_change,
            report.filer.user_id if submitted else None,
            max(submitted, default=None),
            min(submitted, default=None),
            filed_at,
            number,
            hashed,
            created_at,
            chain.events[-1].at if report.state is SubmissionState.SUBMITTED else None,
        )
        for remark_id, event_id, path, reason, _ in report.open_remarks:
            if event_id:
                self._add_remark(report, remark_id, event_id, path, reason, (None, None, None))
        if report.state is not SubmissionState.FILED:
            self._rows.add(
                "submission_draft",
                report.submission_id,
                self._unit.code,
                report.content,
                self._rng.randint(2, 30),
                max(submitted, default=began_at),
                report.filer.user_id,
            )

    @property
    def role(self) -> Role:
        return Role.CITY if self._unit.level == "city" else Role.COUNTY


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


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
