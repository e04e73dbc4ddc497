"""Who acts, in which roles, and on which part of the province."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    LEADER = "leader"
    PLAN_BUREAU = "plan_bureau"
    USE_CONTROL = "use_control"
    DEPARTMENT = "department"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    COMPILE_UNIT = "compile_unit"
    TECHNICAL_REVIEWER = "technical_reviewer"
    INFORMATION_CENTRE = "information_centre"
    SECURITY_AUDITOR = "security_auditor"


# The auditor reads the trail and nothing else: his grant opens no division.
_WITHOUT_WORK_DATA = frozenset({Role.SECURITY_AUDITOR})
# Whoever also holds one of these sees every indicator (actor_is_department in the database).
_BESIDE_DEPARTMENTS = frozenset(
    {
        Role.LEADER,
        Role.PLAN_BUREAU,
        Role.USE_CONTROL,
        Role.CITY,
        Role.COUNTY,
        Role.INFORMATION_CENTRE,
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role on one division and all below it, for one subject or (None) for every subject."""

    role: Role
    division_code: str
    prefix: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in user as every layer sees it: who, and the grants in force today."""

    user_id: int
    display_name: str
    grants: tuple[Grant, ...] = field(default=())
    must_change_password: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The division prefixes whose work data the actor may read."""
        return tuple(sorted({g.prefix for g in self.grants if g.role not in _WITHOUT_WORK_DATA}))

    def has_role(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    @property
    def is_department(self) -> bool:
        """Whether the actor sees and fills its department's indicators alone."""
        return Role.DEPARTMENT in self.roles and self.roles.isdisjoint(_BESIDE_DEPARTMENTS)

    def may_act_as(self, role: Role, division_prefix: str) -> bool:
        """Tell whether a grant of `role` covers the division with this prefix."""
        return any(
            grant.role is role and division_prefix.startswith(grant.prefix) for grant in self.grants
        )

    def may_see_contact(self, division_prefix: str) -> bool:
        """Tell whether the unit's contacts are shown in full: to who files and reviews it."""
        return any(
            self.may_act_as(role, division_prefix)
            for role in (Role.PLAN_BUREAU, Role.CITY, Role.COUNTY, Role.TOWNSHIP)
        )

    def covers(self, division_prefix: str) -> bool:
        """Tell whether the actor may read the work data of the division with this prefix."""
        return any(division_prefix.startswith(prefix) for prefix in self.prefixes)
