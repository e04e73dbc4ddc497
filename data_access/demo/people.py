"""Demo accounts: each role and scope, random passwords, one file that says them."""

import csv
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import bcrypt

from data_access.demo import words
from data_access.demo.bulk import Rows
from data_access.demo.calendar import midnight
from domain.access import Role
from domain.passwords import make_password

# A random password of 14 characters needs no slow hash, and 350 slow ones would take a minute.
_BCRYPT_ROUNDS = 6
_OFFICERS_OF_COUNTY = 1  # of all its townships: a file of accounts has to stay readable


@dataclass(frozen=True, slots=True)
class Division:
    """A division as the demo needs it."""

    code: str
    name: str
    level: str
    kind: str
    prefix: str
    parent_code: str


@dataclass(frozen=True, slots=True)
class Person:
    """An account and its one grant."""

    user_id: int
    username: str
    display_name: str
    organisation: str
    phone: str
    role: Role
    division: Division
    subject: str | None


@dataclass(frozen=True, slots=True)
class _Post:
    username: str
    role: Role
    division: Division
    organisation: str
    subject: str | None = None


class Staff:
    """Who files for a division, who reviews, who leads."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = people
        self._by_place: dict[tuple[Role, str], list[Person]] = {}
        for person in people:
            self._by_place.setdefault((person.role, person.division.code), []).append(person)

    def filers(self, unit: Division) -> list[Person]:
        """Return who files for the unit; of a city's two, the second one reviews instead."""
        if unit.level == "city":
            return self._by_place[Role.CITY, unit.code][:1]
        return self._by_place[Role.COUNTY, unit.code]

    def reviewer(self, role: Role, division_code: str, rng: Random) -> Person:
        """Return one who reviews for the division in this role."""
        holders = self._by_place[role, division_code]
        return holders[-1] if role is Role.CITY else rng.choice(holders)

    def of_role(self, role: Role) -> list[Person]:
        return [person for person in self.people if person.role is role]


def hire(rows: Rows, divisions: Iterable[Division], seed: int, first_day: date) -> Staff:
    """Invent the people and their accounts, hired on `first_day`; the passwords come later."""
    people = [
        _person(rows, post, Random(f"{seed}/{post.username}"))
        for post in _posts(list(divisions), Random(f"{seed}/posts"))
    ]
    for person in people:
        rows.add_numbered(
            "account_grant",
            person.user_id,
            person.role.value,
            person.division.code,
            person.division.prefix,
            person.subject,
            first_day,
        )
    return Staff(people)


def _person(rows: Rows, post: _Post, rng: Random) -> Person:
    return Person(
        rows.number("account"),
        post.username,
        words.person(rng),
        post.organisation,
        words.phone(rng),
        post.role,
        post.division,
        post.subject,
    )


def _posts(divisions: list[Division], rng: Random) -> list[_Post]:
    province = next(division for division in divisions if division.level == "province")
    cities = [division for division in divisions if division.level == "city"]
    counties = [division for division in divisions if division.level == "county"]
    townships = [division for division in divisions if division.level == "township"]
    posts = [
        _Post("leader", Role.LEADER, province, "省自然资源厅"),
        _Post("bureau", Role.PLAN_BUREAU, province, "厅空间规划局"),
        _Post("bureau2", Role.PLAN_BUREAU, province, "厅空间规划局"),
        _Post("use_control", Role.USE_CONTROL, province, "厅国土空间用途管制处"),
        _Post("information_centre", Role.INFORMATION_CENTRE, province, "信息中心"),
        _Post("auditor", Role.SECURITY_AUDITOR, province, "信息中心安全审计岗"),
        _Post("department", Role.DEPARTMENT, province, "水利厅", "水利厅"),
        _Post("reviewer", Role.TECHNICAL_REVIEWER, province, "技术审查单位"),
    ]
    posts += [
        _Post(f"compiler_{county.code}", Role.COMPILE_UNIT, county, "规划编制单位")
        for county in rng.sample(counties, min(2, len(counties)))
    ]
    for city in cities:
        office = f"{city.name}自然资源局"
        posts.append(_Post(f"city_{city.code}", Role.CITY, city, office))
        posts.append(_Post(f"city_{city.code}_b", Role.CITY, city, office))
    for county in counties:
        office = f"{county.name}自然资源局"
        posts.append(_Post(f"county_{county.code}", Role.COUNTY, county, office))
        posts.append(_Post(f"county_{county.code}_b", Role.COUNTY, county, office))
        own = [town for town in townships if town.parent_code == county.code]
        for town in rng.sample(own, min(_OFFICERS_OF_COUNTY, len(own))):
            office = f"{town.name}人民政府"
            posts.append(_Post(f"township_{town.code}", Role.TOWNSHIP, town, office))
    return posts


def give_passwords(rows: Rows, staff: Staff, data_dir: Path, first_day: date) -> None:
    """Add the accounts with random passwords, and write these down for their owner alone."""
    passwords = [make_password() for _ in staff.people]
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # bcrypt lets go of the interpreter
        hashes = list(threads.map(_hash, passwords))
    hired_at = midnight(first_day)
    for person, hashed in zip(staff.people, hashes, strict=True):
        rows.add(
            "account",
            person.user_id,
            person.username,
            person.display_name,
            person.organisation,
            person.phone,
            hashed,
            hired_at,
            False,
            True,
            hired_at,
        )
    _write_down(data_dir / "demo_accounts.csv", staff, passwords)


def _hash(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()


def _write_down(path: Path, staff: Staff, passwords: Sequence[str]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("username", "password", "role", "division_code"))
        for person, password in zip(staff.people, passwords, strict=True):
            writer.writerow((person.username, password, person.role.value, person.division.code))
