"""Form B's story: who compiles which plan, for how much, and what the units reported of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from data_access.demo import institutes, words
from data_access.demo.bulk import FILED_CONTRACT, Rows
from data_access.demo.calendar import WorkCalendar, midnight, month_after, office_hour
from data_access.demo.chains import Chain, Event, Period, chain_now, fate_now, past_chain
from data_access.demo.evidence import EvidenceStore
from data_access.demo.institutes import Institute
from data_access.demo.people import Division, Staff
from data_access.demo.reference import Reference
from data_access.demo.reports import PlanHistory, Report, UnitHistory
from domain import compile_form
from domain.access import Role
from domain.clock import BEIJING
from domain.forms import path_of
from domain.normalisation import normal_decimal
from domain.periods import last_month, period_name, period_start
from domain.progress import MilestoneState

_DAY = timedelta(days=1)
_QUARTERS = 4
_FEWEST_DAYS_IN_HAND = 4
_CLOSING_DAY = 20  # of the month after
_NEVER_FILED = 7  # units
_SHARE_ENDED = 0.04
_SHARE_CONSORTIUM = 0.22
_SIGNED_FOR = 75  # days after which a signed contract is being carried out
_FACTS_AFTER = 25  # days until the province has accepted a stage
# In 10,000 yuan: from, to.
_AMOUNTS = {"MASTER_CITY": (780, 2400), "MASTER_COUNTY": (165, 620)}
_OTHER_AMOUNTS = (38, 210)
_TITLES = ("正高级工程师", "高级工程师", "高级工程师", "工程师")
_DISCIPLINES = (
    "规划、土地、GIS",
    "规划、土地、GIS、生态",
    "规划、建筑、交通、GIS",
    "规划、测绘、GIS",
)
_SIGNED = frozenset("3456")
Values = dict[str, Any]


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


class CompileStory:
    """Tells the quarters of every unit that files the form."""

    def __init__(
        self,
        rows: Rows,
        store: EvidenceStore,
        staff: Staff,
        reference: Reference,
        calendar: WorkCalendar,
        province: Division,
        today: date,
        rng: Random,
    ) -> None:
        self._rows, self._store, self._staff = rows, store, staff
        self._reference, self._calendar = reference, calendar
        self._province, self._today, self._rng = province, today, rng
        self._institutes = institutes.invent(rng, (province.code, province.name), today)
        self._known: dict[str, datetime] = {}
        self._periods = self._open_periods()

    def tell(self, units: Sequence[tuple[Division, list[PlanHistory]]]) -> None:
        """Tell every unit of the kinds that the form asks, then who is known from it."""
        kinds = self._reference.compile_unit.unit_kinds
        asked = [(unit, plans) for unit, plans in units if unit.kind in kinds]
        silent = {unit.code for unit, _ in self._rng.sample(asked, min(_NEVER_FILED, len(asked)))}
        turns: dict[str, int] = {}
        for unit, plans in asked:
            turn = turns[unit.parent_code] = turns.get(unit.parent_code, -1) + 1
            rng = Random(f"{self._rng.random()}/{unit.code}")
            self._tell_unit(rng, unit, plans, turn, is_silent=unit.code in silent)
        for institute in self._institutes:
            if institute.uscc in self._known:
                self._rows.add(
                    "compile_unit",
                    institute.uscc,
                    institute.name,
                    institute.unit_type,
                    institute.grade,
                    institute.cert_no,
                    institute.cert_valid,
                    institute.province,
                    self._known[institute.uscc],
                )

    def _tell_unit(
        self,
        rng: Random,
        unit: Division,
        plans: list[PlanHistory],
        turn: int,
        *,
        is_silent: bool,
    ) -> None:
        steps = self._reference.workflow.steps_for(unit.level)
        history = ContractHistory(
            self._rows,
            self._store,
            self._staff,
            unit,
            steps,
            plans,
            self._reference.compile_unit.versions,
            self._province.code,
            rng,
        )
        history.begin(
            [self._contract(rng, unit, plan) for plan in plans], self._in_hand, self._known
        )
        for chain in self._chains(rng, unit, [step.step_no for step in steps], turn, is_silent):
            history.tell(chain)

    # PERIODS

    def _open_periods(self) -> list[Period]:
        months = self._reference.compile_unit.period_months
        starts = [period_start(self._today, months)]
        while len(starts) < _QUARTERS:
            starts.append(period_start(starts[-1] - _DAY, months))
        return [self._open_period(start, months) for start in reversed(starts)]

    def _open_period(self, starts_on: date, months: int) -> Period:
        last = last_month(starts_on, months)
        deadline = last.replace(day=self._reference.numbers["period_deadline_day"])
        closing = datetime.combine(month_after(last).replace(day=_CLOSING_DAY), time(18), BEIJING)
        period = Period(
            self._rows.number("reporting_period"),
            period_name(starts_on, months),
            starts_on,
            month_after(last) - _DAY,
            datetime.combine(deadline, time(23, 59, 59), BEIJING),
            midnight(starts_on),
            closing if closing < midnight(self._today) else None,
        )
        versions = self._reference.compile_unit.versions
        self._rows.add(
            "reporting_period",
            period.period_id,
            versions.form_code,
            period.name,
            period.starts_on,
            period.ends_on,
            period.deadline_at,
            versions.form_version,
            versions.workflow_version,
            period.opened_at,
            self._staff.of_role(Role.PLAN_BUREAU)[0].user_id,
            period.closed_at,
        )
        return period

    @property
    def _in_hand(self) -> Period:
        """The newest quarter, or the one before it while it is only a few days old."""
        newest = self._periods[-1]
        passed = self._calendar.between(newest.starts_on, self._today - _DAY)
        return newest if len(passed) >= _FEWEST_DAYS_IN_HAND else self._periods[-2]

    def _chains(
        self, rng: Random, unit: Division, steps: Sequence[int], turn: int, is_silent: bool
    ) -> list[Chain]:
        chains: list[Chain] = []
        done_on = self._periods[0].starts_on - _DAY
        for period in self._periods:
            events: list[Event] = []
            draft_at = None
            first = max(period.starts_on, done_on + _DAY)
            days = self._calendar.between(first, self._today - _DAY)
            if period is self._in_hand and not is_silent:
                fate = fate_now(unit.level, turn)
                events = chain_now(rng, days, steps, fate)
                draft_at = office_hour(rng, days[-1]) if fate == "draft" and days else None
            elif period.starts_on < self._in_hand.starts_on and not is_silent:
                events = past_chain(rng, self._calendar, period, steps, done_on + _DAY)
            events = [event for event in events if event.at < midnight(self._today)]
            done_on = events[-1].at.date() if events else done_on
            chains.append(Chain(period, tuple(events), steps[-1], draft_at))
        return chains

    # CONTRACTS

    def _contract(self, rng: Random, unit: Division, plan: PlanHistory) -> Contract:
        tender = plan.lines[1]
        contract = Contract(plan, self._owner(rng, unit), tender_on=tender.started_on)
        if tender.completed_on is None:
            contract.terms = {"purchase_method": rng.choice(("1", "1", "3"))}
            return contract
        signed_on = self._calendar.on_or_before(tender.completed_on)
        bid_on = self._calendar.on_or_before(signed_on - rng.randint(10, 25) * _DAY)
        contract.tender_on = self._calendar.on_or_before(bid_on - rng.randint(21, 45) * _DAY)
        contract.signed_on = signed_on
        contract.done_on = plan.lines[-1].completed_on
        if contract.done_on is None and rng.random() < _SHARE_ENDED:
            contract.ended_on = signed_on + rng.randint(150, 400) * _DAY
        contract.terms = self._terms(rng, contract, bid_on, is_direct=bool(tender.skip_reason))
        return contract

    def _owner(self, rng: Random, unit: Division) -> Values:
        return {
            "owner_dept": f"{unit.name}自然资源局",
            "owner_contact": words.person(rng),
            "owner_phone": words.phone(rng),
        }

    def _terms(self, rng: Random, contract: Contract, bid_on: date, *, is_direct: bool) -> Values:
        assert contract.signed_on is not None
        plan_type = contract.plan.lines[0].stage.plan_type
        low, high = _AMOUNTS.get(plan_type, _OTHER_AMOUNTS)
        lasts = rng.randint(850, 1500) if contract.plan.is_headline else rng.randint(330, 800)
        team = rng.randint(7, 26)
        parties = self._parties(rng, contract.signed_on)
        return {
            "purchase_method": "5"
            if is_direct
            else rng.choice(("1", "1", "1", "2", "3", "3", "4")),
            "tender_date": contract.tender_on,
            "bid_date": bid_on,
            "contract_no": f"GTKJ-{contract.signed_on:%Y}-{contract.plan.plan_id:04d}",
            "contract_amount": normal_decimal(f"{rng.uniform(low, high):.1f}"),
            "contract_sign_date": contract.signed_on,
            "contract_end_date": contract.signed_on + lasts * _DAY,
            **parties,
            "leader_name": words.person(rng),
            "leader_title": rng.choice(_TITLES),
            "leader_reg_planner": rng.random() < 0.7,
            "leader_phone": words.phone(rng),
            "team_size": team,
            "reg_planner_cnt": rng.randint(1, min(6, team)),
            "disciplines": rng.choice(_DISCIPLINES),
            "site_staff": rng.randint(0, 4),
            "score": rng.randint(72, 96),
        }

    def _parties(self, rng: Random, signed_on: date) -> Values:
        lead = institutes.choose(rng, self._institutes, signed_on)
        others = [each for each in self._institutes if each is not lead]
        together = rng.random() < _SHARE_CONSORTIUM
        member = institutes.choose(rng, others, signed_on) if together else None
        return {"is_consortium": together, **_party("unit1", lead), **_party("unit2", member)}


class ContractHistory(UnitHistory):
    """Writes the quarters of one unit; how a report travels is the same as with Form A."""

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
            **{name: _plain(value) for name, value in terms.items()},
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

    def _is_accepted(self, plan: PlanHistory, line: Any, report: Report, day: date) -> bool:
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


_SECOND = timedelta(seconds=1)


def _party(party: str, institute: Institute | None) -> Mapping[str, object]:
    names = ("uscc", "name", "unit_type", "grade", "cert_no", "cert_valid", "province")
    return {
        f"{party}_{name.removeprefix('unit_')}": getattr(institute, name, None) for name in names
    }


def _fact(row: Values) -> Values:
    """Return what acceptance takes from a row: the stage is Form A's and no news here."""
    return {name: value for name, value in row.items() if name != "progress_stage"}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
