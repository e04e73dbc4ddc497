"""Who compiles for whom: contracts as accepted, summed up for who supervises them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from statistics import median

IN_FORCE = frozenset({"3", "4", "5"})
"""Codes of table HTZT: signed, being carried out, accepted. 6 is a contract that was ended."""
_RUNNING = frozenset({"3", "4"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A unit that reports its contracts."""

    code: str
    name: str
    level: str
    parent_code: str
    parent_name: str

    @property
    def city_code(self) -> str:
        return self.code if self.level == "city" else self.parent_code


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract of one plan as accepted, with the plan's progress and the record behind it."""

    plan_id: int
    plan_name: str
    plan_type_name: str
    is_headline: bool
    code: str
    unit_name: str
    level: str
    parent_code: str
    parent_name: str
    contract_status: str
    purchase_method: str | None
    contract_no: str | None
    contract_amount: Decimal | None
    """In 10,000 yuan."""
    contract_sign_date: date | None
    contract_end_date: date | None
    is_consortium: bool | None
    unit1_uscc: str | None
    unit1_name: str | None
    unit1_type: str | None
    unit1_grade: str | None
    unit1_cert_valid: date | None
    unit1_province: str | None
    unit2_uscc: str | None
    unit2_name: str | None
    unit2_type: str | None
    unit2_grade: str | None
    unit2_cert_valid: date | None
    unit2_province: str | None
    leader_name: str | None
    team_size: int | None
    performance_score: int | None
    progress_ratio: float
    """Of the plan, accepted: 0 to 1."""
    progress_stage: str
    submission_id: int
    version_no: int
    receipt_no: str
    filed_by: str
    accepted_by: str
    accepted_at: datetime

    @property
    def is_in_force(self) -> bool:
        return self.contract_status in IN_FORCE

    @property
    def city_code(self) -> str:
        return self.code if self.level == "city" else self.parent_code

    def overdue_days(self, day: date) -> int:
        """Return for how many days a running contract has been past its agreed end, 0 for none."""
        if self.contract_status not in _RUNNING or self.contract_end_date is None:
            return 0
        return max((day - self.contract_end_date).days, 0)

    def parties(self) -> list["Party"]:
        """Return who compiles: the lead first, then the other of a consortium."""
        lead = _party(
            self.unit1_uscc, self.unit1_name, self.unit1_type, self.unit1_grade,
            self.unit1_cert_valid, self.unit1_province,
        )  # fmt: skip
        member = _party(
            self.unit2_uscc, self.unit2_name, self.unit2_type, self.unit2_grade,
            self.unit2_cert_valid, self.unit2_province,
        )  # fmt: skip
        return [each for each in (lead, member) if each is not None]


@dataclass(frozen=True, slots=True)
class Party:
    uscc: str
    name: str
    unit_type: str
    grade: str
    cert_valid: date | None
    province: str


def _party(
    uscc: str | None,
    name: str | None,
    unit_type: str | None,
    grade: str | None,
    cert_valid: date | None,
    province: str | None,
) -> Party | None:
    if uscc is None:
        return None
    return Party(uscc, name or uscc, unit_type or "", grade or "", cert_valid, province or "")


@dataclass(frozen=True, slots=True)
class Load:
    """What one compile unit carries: of contracts in force, wherever it takes part."""

    party: Party
    contracts: tuple[Contract, ...]
    day: date

    @property
    def units(self) -> int:
        return len({contract.code for contract in self.contracts})

    @property
    def amount(self) -> Decimal:
        """Return what the contracts that it leads are worth, in 10,000 yuan."""
        led = [each for each in self.contracts if each.unit1_uscc == self.party.uscc]
        return total_amount(led)

    @property
    def overdue(self) -> int:
        return sum(bool(each.overdue_days(self.day)) for each in self.contracts)

    @property
    def mean_ratio(self) -> float:
        return sum(each.progress_ratio for each in self.contracts) / len(self.contracts)

    @property
    def has_expired(self) -> bool:
        return self.party.cert_valid is not None and self.party.cert_valid < self.day


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures of the page: of the asked units and of every contract in force."""

    asked: tuple[Asked, ...]
    contracts: tuple[Contract, ...]
    loads: tuple[Load, ...]
    day: date

    @property
    def in_force(self) -> list[Contract]:
        return [each for each in self.contracts if each.is_in_force]

    @property
    def headlines(self) -> dict[str, Contract]:
        """Return the contract of each unit's master plan, by the unit's code."""
        return {each.code: each for each in self.contracts if each.is_headline}

    @property
    def contracted(self) -> list[Asked]:
        headlines = self.headlines
        return [unit for unit in self.asked if _in_force(headlines.get(unit.code))]

    @property
    def overdue(self) -> list[Contract]:
        return [each for each in self.in_force if each.overdue_days(self.day)]

    @property
    def expired(self) -> list[Load]:
        return [load for load in self.loads if load.has_expired]

    def statuses(self) -> Counter[str]:
        """Return how many units' master plans stand at each status, '' where none is accepted."""
        headlines = self.headlines
        return Counter(
            headlines[unit.code].contract_status if unit.code in headlines else ""
            for unit in self.asked
        )

    @property
    def median_amount(self) -> Decimal | None:
        amounts = [each.contract_amount for each in self.in_force if each.contract_amount]
        return median(amounts) if amounts else None


def _in_force(contract: Contract | None) -> bool:
    return contract is not None and contract.is_in_force


def total_amount(contracts: Iterable[Contract]) -> Decimal:
    """Return what the contracts are worth together, in 10,000 yuan; missing amounts add nothing."""
    return sum((each.contract_amount or Decimal(0) for each in contracts), Decimal(0))


def summarise(asked: Sequence[Asked], contracts: Sequence[Contract], day: date) -> Standing:
    """Return the figures of these units and contracts on a day."""
    return Standing(tuple(asked), tuple(contracts), tuple(loads_of(contracts, day)), day)


def loads_of(contracts: Iterable[Contract], day: date) -> list[Load]:
    """Return what each compile unit carries, who serves most units first."""
    carried: dict[str, list[Contract]] = defaultdict(list)
    parties: dict[str, tuple[datetime, Party]] = {}
    for contract in contracts:
        if not contract.is_in_force:
            continue
        for party in contract.parties():
            carried[party.uscc].append(contract)
            known = parties.get(party.uscc)
            # Named as accepted last, as the list of known units does.
            if known is None or known[0] < contract.accepted_at:
                parties[party.uscc] = contract.accepted_at, party
    found = [Load(parties[uscc][1], tuple(held), day) for uscc, held in carried.items()]
    return sorted(found, key=lambda load: (-load.units, -len(load.contracts), load.party.name))
