"""The reports of one unit: how each travels, whatever its form, to a receipt or back."""

from abc import ABC, abstractmethod
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
from domain.receipts import content_sha256, receipt_hash
from domain.workflow import ReviewAction, SubmissionState, WorkflowStep

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


class ReportHistory(ABC):
    """Writes the rows of one unit's reports, period after period; a form says what they hold."""

    def __init__(
        self,
        rows: Rows,
        store: EvidenceStore,
        staff: Staff,
        unit: Division,
        steps: Sequence[WorkflowStep],
        versions: FormVersions,
        province_code: str,
        rng: Random,
    ) -> None:
        self._rows = rows
        self._store = store
        self._staff = staff
        self._unit = unit
        self._steps = {step.step_no: step for step in steps}
        self._versions = versions
        self._province_code = province_code
        self._rng = rng
        self._responsible = words.person(rng)

    def tell(self, chain: Chain) -> None:
        """Write a period: the submission, its versions, its decisions, and what was accepted."""
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

    # WHAT A FORM SAYS OF ITSELF

    @abstractmethod
    def _content(self, report: Report, at: datetime, *, flawed: bool) -> Values:
        """Return what the unit fills in; where flawed, with what it will be returned for."""

    @abstractmethod
    def _nothing_new(self, content: Values) -> bool:
        """Tell whether everything in the content is accepted already."""

    @abstractmethod
    def _add_filed(self, report: Report) -> None:
        """Write the typed rows of the version."""

    @abstractmethod
    def _accept_rows(self, report: Report, by: tuple[int, int, int, datetime]) -> None:
        """Write what the province accepts: `by` is submission, version, reviewer and moment."""

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


def plain(value: object) -> object:
    """Return a value as JSON holds it: a day as its ISO text."""
    return value.isoformat() if isinstance(value, date) else value
