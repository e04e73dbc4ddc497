"""File a report among many: one that is refused says why and holds up none of the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_access import decisions
from data_access.database import transaction
from domain.access import Actor
from domain.errors import InvalidContent, PortalError
from domain.forms import Problem


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a report: `error` says why it was not filed."""

    error: PortalError | None
    problems: Sequence[Problem] = ()


def submit_seen(actor: Actor, submission_id: int, draft_version: int, lock_version: int) -> Told:
    """File the draft in the version the actor saw, in a transaction of its own.

    What came back is filed only where something of it was changed or answered since.
    """
    try:
        with transaction(actor, action="submission.submit", planned_once=True) as connection:
            decisions.submit(
                connection, actor, submission_id, lock_version, seen=draft_version, among_many=True
            )
    except InvalidContent as error:
        problems = error.details.get("problems")
        return Told(error, problems if isinstance(problems, list) else ())
    except PortalError as error:
        return Told(error)
    return Told(None)
