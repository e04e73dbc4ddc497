"""What a unit reports of its contracts each quarter, and what was accepted of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from data_access.demo import words
from data_access.demo.bulk import FILED_CONTRACT
from data_access.demo.chains import Period
from data_access.demo.plan_reports import PlanHistory
from data_access.demo.reports import Report, ReportHistory, Values, plain
from data_access.demo.timelines import StageLine
from domain import compile_form
from domain.forms import path_of
from domain.normalisation import normal_decimal
from domain.progress import MilestoneState

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_SIGNED_FOR = 75  # days after which a signed contract is being carried out
_FACTS_AFTER = 25  # days until the province has accepted a stage
_SIGNED = frozenset("3456")


@dataclass(slots=True)
class Contract:
    """How the compiling of one plan was given away; days are None while they have not come."""

    plan: PlanHistory
    owner: Values
    tender_on: date | None = None
    signed_on: date | None = None
    done_on: date | None = None
    ended_on: date | None = None
    terms: Values = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)

    def status_on(self, day: date) -> str:
        """Return the code of table HTZT on a day."""
        if self.signed_on and self.signed_on <= day:
            if self.ended_on and self.ended_on <= day:
                return "6"
            if self.done_on and self.done_on <= day:
                return "5"
            return "3" if day < self.signed_on + _SIGNED_FOR * _DAY else "4"
        return "2" if self.tender_on and self.tender_on <= day else "1"


class ContractHistory(ReportHistory):
    """Writes the quarters of one unit."""

    def begin(
        self, contracts: Sequence[Contract], in_hand: Period, known: dict[str, datetime]
    ) -> None:
        """Take the unit's contracts, the period in hand, and where to note whom it makes known."""
        self._contracts = {contract.plan.plan_id: contract for contract in contracts}
        self._in_hand = in_hand
        self._known = known
        self._facts: dict[int, Values] = {}

    def _content(self, report: Report, at: datetime, *, flawed: bool) -> Values:
        rows = [
            self._row(contract, report, at)
            for contract in self._contracts.values()
            if contract.plan.declared_from <= at.date()
        ]
        content = {
            "form": {
                "contact_name": report.filer.display_name,
                "contact_phone": report.filer.phone,
                "note": None,
            },
            compile_form.GROUP: rows,
        }
        if flawed:
            self._leave_a_fault(report, content)
        return content

    def _row(self, contract: Contract, report: Report, at: datetime) -> Values:
        plan, status = contract.plan, contract.status_on(at.date())
        plan_type = plan.lines[0].stage.plan_type
        terms = dict(contract.terms)
        score = terms.pop("score", None)
        if status not in _SIGNED:
            tendered = ("purchase_method", "tender_date") if status == "2" else ()
            terms = {name: terms[name] for name in tendered if name in terms}
            terms["tender_date"] = contract.tender_on if status == "2" else None
        else:
            self._gather(contract, report, at)
        empty = dict.fromkeys(FILED_CONTRACT[4:-2])
        return {
            "key": str(plan.plan_id),
            "plan_id": plan.plan_id,
            **empty,
            "county_code": self._unit.code,
            "county_name": self._unit.name,
            "plan_type": compile_form.plan_kind(plan_type),
            "plan_level": compile_form.plan_level(plan_type, self._unit.level),
            "plan_name": plan.name,
            "progress_stage": self._stage(plan, report, at.date()),
            "contract_status": status,
            **{name: plain(value) for name, value in terms.items()},
            **contract.owner,
            "performance_score": score if status == "5" else None,
            "attachments": dict(contract.evidence) if status in _SIGNED else None,
            "remark": "合同终止，正在重新组织采购。" if status == "6" else None,
        }

    def _stage(self, plan: PlanHistory, report: Report, day: date) -> str | None:
        """Return the last stage that the province had accepted, as Form A has it."""
        done = [
            line.stage.name for line in plan.lines if self._is_accepted(plan, line, report, day)
        ]
        return done[-1] if done else None

    def _is_accepted(self, plan: PlanHistory, line: StageLine, report: Report, day: date) -> bool:
        if report.chain.period is self._in_hand:
            fact = plan.accepted.get(line.stage.stage_code)
            return fact is not None and fact["state"] == MilestoneState.COMPLETED
        return line.state_on(day - _FACTS_AFTER * _DAY) is MilestoneState.COMPLETED

    def _gather(self, contract: Contract, report: Report, at: datetime) -> None:
        if contract.evidence:
            return
        terms, uploaded_at = contract.terms, at - timedelta(minutes=self._rng.randint(4, 20))
        lines = [
            f"合同编号：{terms['contract_no']}",
            f"承担单位：{terms['unit1_name']}",
            f"证书编号：{terms['unit1_cert_no']}",
        ]
        plan = (contract.plan.plan_id, self._unit.code, contract.plan.name)
        contract.evidence = {
            item: self._store.add_to_contract(
                plan, item, lines, report.filer.user_id, uploaded_at - 20 * number * _SECOND
            )
            for number, item in enumerate(compile_form.ATTACHMENTS)
        }

    def _leave_a_fault(self, report: Report, content: Values) -> None:
        """Write an amount in yuan's tens where it should be in 10,000: what a reviewer returns."""
        signed = [row for row in content[compile_form.GROUP] if row["contract_amount"]]
        number = self._rows.number("review_remark")
        if not signed:
            path = path_of("form", "", "note")
            report.open_remarks = [(number, 0, path, words.NOTE_REASON, words.NOTE_REPLY)]
            return
        row = signed[0]
        row["contract_amount"] = normal_decimal(f"{float(row['contract_amount']) * 1.1:.1f}")
        path = path_of(compile_form.GROUP, row["key"], "contract_amount")
        report.open_remarks = [(number, 0, path, words.AMOUNT_REASON, words.AMOUNT_REPLY)]

    def _nothing_new(self, content: Values) -> bool:
        return all(
            self._facts.get(row["plan_id"]) == _fact(row) for row in content[compile_form.GROUP]
        )

    def _add_filed(self, report: Report) -> None:
        for row in report.content[compile_form.GROUP]:
            self._rows.add("filed_contract", *self._typed(report, row))

    def _typed(self, report: Report, row: Values) -> tuple[object, ...]:
        files: dict[str, int] = row["attachments"] or {}
        typed = row | {"evidence_ids": [files[item] for item in sorted(files)]}
        own = (report.submission_id, report.version_no, self._unit.code)
        return (*own, *(typed[name] for name in FILED_CONTRACT[3:]))

    def _accept_rows(self, report: Report, by: tuple[int, int, int, datetime]) -> None:
        *_, user_id, at = by
        for row in report.content[compile_form.GROUP]:
            fact = _fact(row)
            if self._facts.get(row["plan_id"]) == fact:
                continue
            self._facts[row["plan_id"]] = fact
            self._rows.add("accepted_contract", *self._typed(report, row), user_id, at)
            for party in compile_form.PARTIES:
                if code := row[f"{party}_uscc"]:
                    self._known[code] = max(at, self._known.get(code, at))


def _fact(row: Values) -> Values:
    """Return what acceptance takes from a row: the stage is Form A's and no news here."""
    return {name: value for name, value in row.items() if name != "progress_stage"}
