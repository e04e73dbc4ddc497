"""The review workflow: steps as data, moves as one function that reads them.

A position is a state, the step that waits, and whether an earlier filing stands. Who filed does
not review: the caller passes the filer, and the same person is refused at every step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.access import Actor, Role
from domain.errors import InvalidAction, NotPermitted


class SubmissionState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    FILED = "filed"


class ReviewAction(StrEnum):
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    RETURN = "return"
    REOPEN = "reopen"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One review: by which role, at which level of divisions, for which units not at all."""

    step_no: int
    name: str
    role: Role
    scope_level: str
    skip_levels: tuple[str, ...] = ()
    working_days: int | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    form_code: str
    version: int
    filer_roles: tuple[Role, ...]
    steps: tuple[WorkflowStep, ...]
    by_change: bool = False
    """Whether what was filed may be opened again in its period, to report what has changed."""
    filed_from_above: bool = False
    """Whether a grant on a division files for the units within it, not for itself alone."""
    contributor_roles: tuple[Role, ...] = ()
    """Who fills rows of his own beside the filer, for units within his grant, and never files."""

    def steps_for(self, unit_level: str) -> tuple[WorkflowStep, ...]:
        """Return the steps that a report of a unit of this level passes."""
        return tuple(step for step in self.steps if unit_level not in step.skip_levels)

    def step(self, step_no: int) -> WorkflowStep:
        """Return the step; raise InvalidAction where there is none."""
        for step in self.steps:
            if step.step_no == step_no:
                return step
        raise InvalidAction(step_no=step_no)


@dataclass(frozen=True, slots=True)
class Unit:
    """The reporting unit a submission belongs to."""

    code: str
    level: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Position:
    state: SubmissionState
    step_no: int = 0
    is_change: bool = False
    """Whether what was filed before stands until this report is filed."""


@dataclass(frozen=True, slots=True)
class Move:
    """What an action leads to, and in which role the actor takes it."""

    action: ReviewAction
    target: Position
    role: Role
    new_round: bool = False


def open_moves(
    workflow: Workflow, unit: Unit, position: Position, actor: Actor, filer_id: int | None
) -> list[Move]:
    """Return the moves open to the actor now, the favourable one first."""
    if position.state in (SubmissionState.DRAFT, SubmissionState.RETURNED):
        return _filer_moves(workflow, unit, position, actor)
    if position.state is SubmissionState.SUBMITTED:
        return _withdrawals(workflow, unit, position, actor) + _decisions(
            workflow, unit, position, actor, filer_id
        )
    return _reopenings(workflow, unit, actor)


def take(
    workflow: Workflow,
    unit: Unit,
    position: Position,
    action: ReviewAction,
    actor: Actor,
    filer_id: int | None,
) -> Move:
    """Return the move `action` makes.

    Raises InvalidAction when the state has no such action, NotPermitted when others have it.
    """
    if (
        action not in _ACTIONS[position.state]
        or (action is ReviewAction.REOPEN and not workflow.by_change)
        or (action is ReviewAction.ABANDON and not position.is_change)
    ):
        raise InvalidAction(state=position.state, action=action)
    for move in open_moves(workflow, unit, position, actor, filer_id):
        if move.action is action:
            return move
    raise NotPermitted(action=action)


_ACTIONS: dict[SubmissionState, frozenset[ReviewAction]] = {
    SubmissionState.DRAFT: frozenset({ReviewAction.SUBMIT, ReviewAction.ABANDON}),
    SubmissionState.RETURNED: frozenset({ReviewAction.SUBMIT, ReviewAction.ABANDON}),
    SubmissionState.SUBMITTED: frozenset(
        {ReviewAction.WITHDRAW, ReviewAction.APPROVE, ReviewAction.RETURN}
    ),
    SubmissionState.FILED: frozenset({ReviewAction.REOPEN}),
}


def may_file(workflow: Workflow, unit: Unit, actor: Actor) -> Role | None:
    """Return the role in which the actor may file for the unit."""
    return filing_role(workflow, unit.code, actor)


def filing_role(workflow: Workflow, division_code: str, actor: Actor) -> Role | None:
    """Return the role in which the actor files for a unit: by a grant on the unit itself, or,
    where the form is filed from above, on a division that the unit lies in.
    """
    for grant in actor.grants:
        if workflow.filed_from_above:
            reaches = division_code.startswith(grant.prefix)
        else:
            reaches = grant.division_code == division_code
        if reaches and (
            grant.role in workflow.filer_roles and grant.subject in (None, workflow.form_code)
        ):
            return grant.role
    return None


def contributes(workflow: Workflow, division_code: str, actor: Actor) -> bool:
    """Tell whether the actor fills rows of his own in a unit's draft, and does not file it."""
    return filing_role(workflow, division_code, actor) is None and any(
        grant.role in workflow.contributor_roles and division_code.startswith(grant.prefix)
        for grant in actor.grants
    )


def fills(workflow: Workflow, division_code: str, actor: Actor) -> bool:
    """Tell whether the actor fills in a unit's draft, all of it or rows of his own."""
    return filing_role(workflow, division_code, actor) is not None or contributes(
        workflow, division_code, actor
    )


def only_contributes(workflow: Workflow, actor: Actor) -> bool:
    """Tell whether the actor fills rows of his own at most, whichever the unit."""
    return actor.roles <= {*workflow.contributor_roles, Role.DEPARTMENT}


def _filer_moves(workflow: Workflow, unit: Unit, position: Position, actor: Actor) -> list[Move]:
    """The filer sends it; a change he may also give up, and what was filed before stands again."""
    role = may_file(workflow, unit, actor)
    if role is None:
        return []
    target = _position_of(workflow.steps_for(unit.level)[:1], is_change=position.is_change)
    moves = [Move(ReviewAction.SUBMIT, target, role)]
    if position.is_change:
        moves.append(Move(ReviewAction.ABANDON, Position(SubmissionState.FILED), role))
    return moves


def _withdrawals(workflow: Workflow, unit: Unit, position: Position, actor: Actor) -> list[Move]:
    """The filer may take it back until the first decision."""
    role = may_file(workflow, unit, actor)
    steps = workflow.steps_for(unit.level)
    if role is None or not steps or steps[0].step_no != position.step_no:
        return []
    target = Position(SubmissionState.DRAFT, is_change=position.is_change)
    return [Move(ReviewAction.WITHDRAW, target, role)]


def _reopenings(workflow: Workflow, unit: Unit, actor: Actor) -> list[Move]:
    """The filer reports a change in a round of its own; what was filed stands until it is filed."""
    role = may_file(workflow, unit, actor)
    if role is None or not workflow.by_change:
        return []
    target = Position(SubmissionState.DRAFT, is_change=True)
    return [Move(ReviewAction.REOPEN, target, role, new_round=True)]


def _decisions(
    workflow: Workflow, unit: Unit, position: Position, actor: Actor, filer_id: int | None
) -> list[Move]:
    step = workflow.step(position.step_no)
    if actor.user_id == filer_id or not may_review(step, unit, actor):
        return []
    later = [s for s in workflow.steps_for(unit.level) if s.step_no > step.step_no]
    onward = _position_of(later[:1], is_change=position.is_change)
    back = Position(SubmissionState.RETURNED, is_change=position.is_change)
    return [
        Move(ReviewAction.APPROVE, onward, step.role),
        Move(ReviewAction.RETURN, back, step.role, new_round=True),
    ]


def may_review(step: WorkflowStep, unit: Unit, actor: Actor) -> bool:
    """Tell whether a grant of the step's role covers the unit, which is not one he files for."""
    return actor.may_act_as(step.role, unit.prefix) and not any(
        grant.division_code == unit.code and grant.role in (Role.CITY, Role.COUNTY)
        for grant in actor.grants
    )


def _position_of(steps: Sequence[WorkflowStep], *, is_change: bool) -> Position:
    if not steps:
        return Position(SubmissionState.FILED)
    return Position(SubmissionState.SUBMITTED, steps[0].step_no, is_change)
