"""Form B's story: who compiles which plan, for how much, and what the units reported of it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from random import Random

from data_access.demo import institutes, words
from data_access.demo.bulk import Rows
from data_access.demo.calendar import WorkCalendar, midnight, month_after, office_hour
from data_access.demo.chains import Chain, Event, Period, chain_now, fate_now, past_chain
from data_access.demo.contract_reports import Contract, ContractHistory
from data_access.demo.evidence import EvidenceStore
from data_access.demo.institutes import Institute
from data_access.demo.people import Division, Staff
from data_access.demo.plan_reports import PlanHistory
from data_access.demo.reference import Reference
from data_access.demo.reports import Values
from domain.access import Role
from domain.clock import BEIJING
from domain.normalisation import normal_decimal
from domain.periods import last_month, period_name, period_start

_DAY = timedelta(days=1)
_QUARTERS = 4
_FEWEST_DAYS_IN_HAND = 4
_CLOSING_DAY = 20  # of the month after
_NEVER_FILED = 7  # units
_SHARE_ENDED = 0.04
_SHARE_CONSORTIUM = 0.22
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


def _party(party: str, institute: Institute | None) -> Mapping[str, object]:
    names = ("uscc", "name", "unit_type", "grade", "cert_no", "cert_valid", "province")
    return {
        f"{party}_{name.removeprefix('unit_')}": getattr(institute, name, None) for name in names
    }
