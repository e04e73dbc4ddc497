"""Tell the story of every unit: who is late, who merged, who files in time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from data_access.demo import people, words
from data_access.demo.bulk import Rows
from data_access.demo.calendar import (
    WorkCalendar,
    midnight,
    month_after,
    month_before,
    office_hour,
)
from data_access.demo.chains import Chain, Event, Period, chain_now, fate_now, past_chain
from data_access.demo.compile_units import CompileStory
from data_access.demo.evidence import EvidenceStore
from data_access.demo.people import Division
from data_access.demo.plan_reports import PlanHistory, PlanProgressHistory
from data_access.demo.reference import Reference
from data_access.demo.supervision import LateUnit, MissedPeriod, Supervision
from data_access.demo.timelines import Course, Stage, StageLine, draw
from domain.access import Role
from domain.clock import BEIJING
from domain.progress import Lateness

_MONTHS = 24
_DAY = timedelta(days=1)
_FEWEST_DAYS_IN_HAND = 4  # working days that must be over before this month has reports
_CLOSING_DAY = 20  # of the month after
_MERGEABLE_KIND = "市辖区"
_OWN_PLAN_SHARE = 0.3  # of the kind that may merge
_LATE_SHARES = {Lateness.RED: 0.12, Lateness.ORANGE: 0.11, Lateness.YELLOW: 0.13}
_UNPLANNED_UNITS = 3
# How many units stand at each stage: few at the start, most in the middle, some filed for good.
_STANDING = {3: 2, 4: 3, 5: 5, 6: 8, 7: 10, 8: 13, 9: 11, 10: 10, 11: 9, 12: 8, 13: 7, 14: 9}


@dataclass(frozen=True, slots=True)
class _Fate:
    """Where a unit's headline plan stands today."""

    accepted: int
    lateness: Lateness
    merged_from: date | None = None
    merge_reason: str = ""


class Province:
    """The invented history of all units, told into rows."""

    def __init__(
        self, rows: Rows, reference: Reference, data_dir: Path, today: date, seed: int
    ) -> None:
        self._rows = rows
        self._reference = reference
        self._data_dir = data_dir
        self._today = today
        self._seed = seed
        self._first_month = today.replace(day=1)
        for _ in range(_MONTHS - 1):
            self._first_month = month_before(self._first_month)
        self._calendar = WorkCalendar(
            self._first_month - 1500 * _DAY, today + 2500 * _DAY, reference.holidays
        )
        self._province = next(each for each in reference.divisions if each.level == "province")
        self._units = [each for each in reference.divisions if each.level in reference.unit_levels]
        self._names = {each.code: each.name for each in reference.divisions}
        self._staff = people.hire(rows, reference.divisions, seed, self._first_month)
        self._periods = self._open_periods()
        self._store = EvidenceStore(rows, data_dir / "uploads")
        self._late: list[LateUnit] = []
        self._missed: list[MissedPeriod] = []
        self._told: list[tuple[Division, list[PlanHistory]]] = []

    def tell(self) -> None:
        """Tell everything: accounts, then each unit's reports, then what the province did."""
        people.give_passwords(self._rows, self._staff, self._data_dir, self._first_month)
        fates = self._fates()
        numbers = self._numbers_in_city()
        for unit in self._units:
            self._tell_unit(unit, fates[unit.code], numbers[unit.code])
        CompileStory(
            self._rows,
            self._store,
            self._staff,
            self._reference,
            self._calendar,
            self._province,
            self._today,
            self._rng("compile_units"),
        ).tell(self._told)
        supervision = Supervision(
            self._rows,
            self._staff,
            self._calendar,
            self._today,
            self._reference.numbers["reminder_answer_working_days"],
            self._rng("supervision"),
        )
        supervision.remind_late(self._late)
        supervision.remind_missing(self._missed)
        supervision.open_items(self._late)

    def _rng(self, name: str) -> Random:
        return Random(f"{self._seed}/{name}")

    # PERIODS

    def _open_periods(self) -> list[Period]:
        opener = self._staff.of_role(Role.PLAN_BUREAU)[0].user_id
        periods = []
        month = self._first_month
        while month <= self._today:
            period = self._period(month)
            self._rows.add(
                "reporting_period",
                period.period_id,
                self._reference.versions.form_code,
                period.name,
                period.starts_on,
                period.ends_on,
                period.deadline_at,
                self._reference.versions.form_version,
                self._reference.versions.workflow_version,
                period.opened_at,
                opener,
                period.closed_at,
            )
            periods.append(period)
            month = month_after(month)
        return periods

    def _period(self, month: date) -> Period:
        deadline = month.replace(day=self._reference.numbers["period_deadline_day"])
        closing = month_after(month).replace(day=_CLOSING_DAY)
        closed_at = datetime.combine(closing, time(18), BEIJING)
        return Period(
            self._rows.number("reporting_period"),
            f"{month:%Y}年{month.month}月",
            month,
            month_after(month) - _DAY,
            datetime.combine(deadline, time(23, 59, 59), BEIJING),
            midnight(month),
            closed_at if closed_at < midnight(self._today) else None,
        )

    @property
    def _period_in_hand(self) -> Period:
        """The newest period, or the one before it while the month is only a few days old."""
        newest = self._periods[-1]
        passed = self._calendar.between(newest.starts_on, self._today - _DAY)
        return newest if len(passed) >= _FEWEST_DAYS_IN_HAND else self._periods[-2]

    # FATES

    def _numbers_in_city(self) -> dict[str, int]:
        """Return each unit's turn among its siblings: reports in hand are dealt out by it."""
        turns: dict[str, int] = {}
        parents = sorted({unit.parent_code for unit in self._units})
        for parent in parents:
            siblings = [unit.code for unit in self._units if unit.parent_code == parent]
            self._rng(f"turns/{parent}").shuffle(siblings)
            turns.update({code: turn for turn, code in enumerate(siblings)})
        return turns

    def _fates(self) -> dict[str, _Fate]:
        rng = self._rng("fates")
        mergeable = [unit for unit in self._units if unit.kind == _MERGEABLE_KIND]
        rng.shuffle(mergeable)
        own = round(len(mergeable) * _OWN_PLAN_SHARE)
        fates = {
            unit.code: _Fate(0, Lateness.MERGED, self._first_month, self._merging(unit))
            for unit in mergeable[own:]
        }
        compiling = [unit for unit in self._units if unit.code not in fates]
        rng.shuffle(compiling)
        fates.update(
            zip((unit.code for unit in compiling), self._courses(rng, compiling), strict=True)
        )
        for unit in mergeable[:own][-1:]:
            month = self._periods[_MONTHS * 3 // 5].starts_on
            reason = words.LATER_MERGE_REASON.format(parent=self._names[unit.parent_code])
            fates[unit.code] = _Fate(4, Lateness.ON_TIME, month, reason)
        return fates

    def _merging(self, unit: Division) -> str:
        return words.MERGE_REASON.format(parent=self._names[unit.parent_code])

    def _courses(self, rng: Random, units: Sequence[Division]) -> Iterator[_Fate]:
        stands = rng.choices(list(_STANDING), weights=list(_STANDING.values()), k=len(units))
        classes = [Lateness.UNPLANNED] * _UNPLANNED_UNITS
        for lateness, share in _LATE_SHARES.items():
            classes += [lateness] * round(share * len(units))
        for unit, stand in zip(units, stands, strict=True):
            finished = stand >= len(self._master_stages(unit))
            lateness = classes.pop() if classes and not finished else Lateness.ON_TIME
            yield _Fate(stand, lateness)

    def _master_stages(self, unit: Division) -> list[Stage]:
        return self._reference.stages_of(f"MASTER_{unit.level.upper()}")

    # ONE UNIT

    def _tell_unit(self, unit: Division, fate: _Fate, turn: int) -> None:
        rng = self._rng(unit.code)
        steps = self._reference.workflow.steps_for(unit.level)
        chains = self._chains(rng, unit, [step.step_no for step in steps], turn)
        plans = self._plans(rng, unit, fate, chains)
        history = PlanProgressHistory(
            self._rows,
            self._store,
            self._staff,
            unit,
            steps,
            plans,
            self._reference.versions,
            self._province.code,
            rng,
        )
        for chain in chains:
            history.tell(chain)
        self._told.append((unit, plans))
        self._note_late(unit, fate, plans[0])
        self._extend(rng, unit, chains)

    def _chains(self, rng: Random, unit: Division, steps: Sequence[int], turn: int) -> list[Chain]:
        chains: list[Chain] = []
        done_on = self._first_month - _DAY
        in_hand = self._period_in_hand
        for period in self._periods:
            draft_at = None
            if period.starts_on > in_hand.starts_on:
                events: list[Event] = []
            elif period is in_hand:
                fate = fate_now(unit.level, turn)
                first = max(period.starts_on, done_on + _DAY)
                days = self._calendar.between(first, self._today - _DAY)
                events = chain_now(rng, days, steps, fate)
                draft_at = office_hour(rng, days[-1]) if fate == "draft" and days else None
            else:
                events = past_chain(rng, self._calendar, period, steps, done_on + _DAY)
            events = [event for event in events if event.at < midnight(self._today)]
            if events:
                done_on = events[-1].at.date()
            elif period.deadline_on < self._today:
                self._missed.append(MissedPeriod(unit, period))
            chains.append(Chain(period, tuple(events), steps[-1], draft_at))
        return chains

    def _plans(
        self, rng: Random, unit: Division, fate: _Fate, chains: Sequence[Chain]
    ) -> list[PlanHistory]:
        plans = [self._headline(rng, unit, fate, chains)]
        count = {"city": 2}.get(unit.level, rng.choices((0, 1), weights=(3, 1))[0])
        for name in rng.sample(words.SPECIAL_PLANS, count):
            plans.append(self._minor_plan(rng, unit, "SPECIAL", name, chains))
        count = {"city": 1}.get(unit.level, rng.choices((0, 1), weights=(4, 1))[0])
        for name in rng.sample(words.DETAIL_PLANS, count):
            plans.append(self._minor_plan(rng, unit, "DETAIL", name, chains))
        return plans

    def _headline(
        self, rng: Random, unit: Division, fate: _Fate, chains: Sequence[Chain]
    ) -> PlanHistory:
        stages = self._master_stages(unit)
        lines = [StageLine(stage) for stage in stages]
        if fate.lateness is not Lateness.MERGED:
            accepted = min(fate.accepted, len(stages))
            ago = rng.randint(60, 420) if accepted > 9 else rng.randint(-100, 300)
            course = Course(
                begins_on=self._first_month - ago * _DAY,
                accepted=accepted,
                accepted_until=self._accepted_until(chains),
                submitted_until=self._submitted_until(rng, chains),
                lateness=fate.lateness,
                replanned=fate.lateness in (Lateness.RED, Lateness.ORANGE) and rng.random() < 0.5,
                skips=frozenset({rng.choice((1, 4))} if rng.random() < 0.1 else ()),
            )
            lines = draw(rng, self._calendar, stages, course, self._today)
        name = f"{unit.name}国土空间总体规划（2021—2035年）"
        plan_type = stages[0].plan_type
        plan = self._declare(unit, plan_type, name, self._first_month, lines)
        plan.merged_from, plan.merge_reason = fate.merged_from, fate.merge_reason
        return plan

    def _minor_plan(
        self, rng: Random, unit: Division, plan_type: str, name: str, chains: Sequence[Chain]
    ) -> PlanHistory:
        stages = self._reference.stages_of(plan_type)
        until = self._accepted_until(chains)
        begins_on = min(self._first_month + rng.randint(20, 330) * _DAY, until - 60 * _DAY)
        most = min(len(stages), (until - begins_on).days // 55)
        course = Course(
            begins_on=begins_on,
            accepted=rng.randint(min(1, most), most),
            accepted_until=until,
            submitted_until=self._submitted_until(rng, chains),
            lateness=rng.choice((Lateness.ON_TIME,) * 4 + (Lateness.YELLOW, Lateness.ORANGE)),
        )
        lines = draw(rng, self._calendar, stages, course, self._today)
        declared = self._calendar.on_or_after(max(begins_on, self._first_month))
        return self._declare(unit, plan_type, f"{unit.name}{name}", declared, lines)

    def _declare(
        self, unit: Division, plan_type: str, name: str, day: date, lines: list[StageLine]
    ) -> PlanHistory:
        is_headline = plan_type.startswith("MASTER")
        filer = self._staff.filers(unit)[0]
        declared_at = midnight(day) if is_headline else datetime.combine(day, time(8, 30), BEIJING)
        plan_id = self._rows.add_numbered(
            "plan", unit.code, plan_type, name, is_headline, declared_at, filer.user_id
        )
        return PlanHistory(plan_id, name, is_headline, lines, day)

    def _accepted_until(self, chains: Sequence[Chain]) -> date:
        days = [each.submitted_at.date() for each in chains if each.is_filed and each.submitted_at]
        return max(days, default=self._first_month)

    def _submitted_until(self, rng: Random, chains: Sequence[Chain]) -> date | None:
        """Return the day of a report under review, where it brings something new."""
        waiting = [each for each in chains if each.events and not each.is_filed][-1:]
        days = [each.submitted_at.date() for each in waiting if each.submitted_at]
        return days[0] if rng.random() < 0.65 and days else None

    # WHAT OTHERS DID ABOUT IT

    def _note_late(self, unit: Division, fate: _Fate, plan: PlanHistory) -> None:
        if fate.lateness not in _LATE_SHARES or fate.merged_from:
            return
        line = plan.lines[fate.accepted]
        if line.planned_on:
            self._late.append(LateUnit(unit, plan.name, line.stage.name, line.planned_on))

    def _extend(self, rng: Random, unit: Division, chains: Sequence[Chain]) -> None:
        """Give some of those who filed late, and some who have not filed yet, five days more."""
        granter = self._staff.of_role(Role.PLAN_BUREAU)[0].user_id
        for chain in chains:
            deadline = chain.period.deadline_at
            filed_late = any(event.at > deadline for event in chain.events[:1])
            waiting = not chain.events and deadline > midnight(self._today)
            if rng.random() > (0.3 if filed_late else 0.1 if waiting else 0):
                continue
            days = self._calendar.between(chain.period.starts_on, chain.period.deadline_on)
            granted = [day for day in days if day < self._today][-1:]
            for day in granted:
                self._rows.add_numbered(
                    "period_extension",
                    chain.period.period_id,
                    unit.code,
                    deadline + 5 * _DAY,
                    rng.choice(words.EXTENSION_REASONS),
                    granter,
                    office_hour(rng, day),
                )
