"""Versions of the warning rules: tried on the newest year, kept, and judged by at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access import assessment, indicator_warnings, indicators
from data_access.inbox import IN_APP, Sender
from data_access.indicators import WarningProfile
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor, Role
from domain.assessment import Level
from domain.bands import parse_band
from domain.errors import InvalidAction, InvalidWarningRules, NotPermitted, StaleVersion
from domain.warning_rules import BANDS, ProfileDraft, RulesDraft, band_text, problems, typed

_SQL = load_queries("assessment_rules")


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """A version with who made it when; `made_by_name` is None for what came with the portal."""

    rule_version: int
    title: str
    valid_from_year: int
    yellow_years: int
    basis: str
    basis_note: str
    made_by_name: str | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class LevelChange:
    """How many levels of the newest year would change so, in how many units."""

    from_level: Level
    level: Level
    results: int
    units: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that was saved: how many results it changed, how many items it raised."""

    rule_version: int
    changed: int
    raised: int


def list_versions(connection: Connection) -> list[RulesVersion]:
    """Return every version of the rules, the last one first."""
    return fetch_all(connection, _SQL["list_versions"], RulesVersion)


def draft_of(version: RulesVersion, profiles: list[WarningProfile]) -> RulesDraft:
    """Return a version as it stands, to be changed into the next one."""
    return RulesDraft(
        version.rule_version,
        version.title,
        version.valid_from_year,
        version.yellow_years,
        version.basis,
        version.basis_note,
        {
            each.profile_code: ProfileDraft(
                each.name,
                each.measure,
                {level: typed(getattr(each, name), each.measure) for level, name in BANDS.items()},
            )
            for each in profiles
        },
    )


def first_year(connection: Connection) -> int:
    """Return the earliest data year that new rules may be for: the newest, or the last rules'."""
    years = assessment.list_years(connection)
    last = indicators.list_rules(connection)[-1]
    return max([last.valid_from_year, *years[-1:]])


def preview_rules(connection: Connection, actor: Actor, draft: RulesDraft) -> list[LevelChange]:
    """Return which levels of the newest year would change under new rules; nothing is kept.

    Raises what `save_rules` raises.
    """
    trial = connection.begin_nested()
    try:
        version = _add(connection, actor, draft)
        found = fetch_all(connection, _SQL["compare"], LevelChange, rule_version=version)
    finally:
        trial.rollback()
    return sorted(found, key=lambda each: (-each.level.rank, each.from_level.rank))


def save_rules(
    connection: Connection, actor: Actor, draft: RulesDraft, sender: Sender = IN_APP
) -> Kept:
    """Keep new rules, judge their years by them, and tell of the warnings that come of it.

    Past years keep their rules and results. Raises NotPermitted for anybody but the planning
    bureau, StaleVersion when somebody else made a version meanwhile, and InvalidWarningRules with
    a sentence for each fault.
    """
    version = _add(connection, actor, draft)
    connection.execute(_SQL["begin"], {"rule_version": version})
    years = [y for y in assessment.list_years(connection) if y >= draft.valid_from_year]
    changed = assessment.assess(connection, years, raising=True) if years else 0
    return Kept(version, changed, indicator_warnings.tell_raised(connection, sender))


def _add(connection: Connection, actor: Actor, draft: RulesDraft) -> int:
    if not actor.has_role(Role.PLAN_BUREAU):
        raise NotPermitted(rule_version=draft.made_from)
    connection.execute(_SQL["lock"])
    last = indicators.list_rules(connection)[-1]
    if last.rule_version != draft.made_from:
        raise StaleVersion(rule_version=draft.made_from)
    profiles = {
        each.profile_code: each for each in indicators.list_profiles(connection, last.rule_version)
    }
    faults = [] if draft.profiles.keys() == profiles.keys() else ["预警模型与现行版本不一致。"]
    found = {} if faults or _unreadable(draft) else _bands(draft)
    is_changed = draft.yellow_years != last.yellow_years or any(
        _differs(profiles[code], bands) for code, bands in found.items()
    )
    faults += problems(draft, first_year(connection), is_changed)
    if faults:
        raise InvalidWarningRules(problems=faults)
    return _keep(connection, actor, draft, profiles, found)


def _unreadable(draft: RulesDraft) -> bool:
    try:
        _bands(draft)
    except ValueError:
        return True
    return False


def _bands(draft: RulesDraft) -> dict[str, dict[str, str]]:
    """Return each profile's bands as the database writes them, by the column."""
    return {
        code: {
            name: band_text(profile.bands[level], profile.measure) for level, name in BANDS.items()
        }
        for code, profile in draft.profiles.items()
    }


def _differs(profile: WarningProfile, bands: Mapping[str, str]) -> bool:
    return any(parse_band(getattr(profile, name)) != parse_band(bands[name]) for name in bands)


def _keep(
    connection: Connection,
    actor: Actor,
    draft: RulesDraft,
    profiles: Mapping[str, WarningProfile],
    found: Mapping[str, Mapping[str, str]],
) -> int:
    version = draft.made_from + 1
    shared = {
        "rule_version": version,
        "basis": draft.basis,
        "basis_note": draft.basis_note.strip(),
    }
    connection.execute(
        _SQL["add_rules"],
        shared
        | {
            "title": draft.title.strip(),
            "valid_from_year": draft.valid_from_year,
            "yellow_years": draft.yellow_years,
            "user_id": actor.user_id,
        },
    )
    for code, bands in found.items():
        connection.execute(
            _SQL["add_profile"],
            shared
            | {
                "made_from": draft.made_from,
                "profile_code": code,
                "is_changed": _differs(profiles[code], bands),
                **bands,
            },
        )
    return version


def save_working_days(
    connection: Connection, actor: Actor, level: Level, opened: int, working_days: int
) -> None:
    """Set in how many working days a warning of a level is answered; open items keep their day.

    `opened` is what the actor saw. Raises NotPermitted, StaleVersion, InvalidAction for a level
    without a limit, RuleViolation for days that make no sense.
    """
    if not actor.has_role(Role.PLAN_BUREAU):
        raise NotPermitted(level=level)
    current = connection.scalar(_SQL["lock_level"], {"level": level})
    if current is None:
        raise InvalidAction(level=level)
    if current != opened:
        raise StaleVersion(level=level)
    connection.execute(_SQL["save_level"], {"level": level, "working_days": working_days})
