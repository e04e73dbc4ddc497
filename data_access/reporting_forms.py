"""The forms that run on the reporting core: for each, one place with what it does on its own."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection

from data_access import assessment_form, compile_form, progress_form, village_form
from domain.access import Actor
from domain.errors import NotFound
from domain.forms import Content, Context, Form, Problem


class ReportingForm(Protocol):
    """What a form brings beside its description in `form_field`; a module is enough."""

    SUMS: Mapping[str, Sequence[str]]
    """Group to the fields whose sum is shown, while it is typed, beside the form's own field."""

    def ensure_rows(self, connection: Connection, actor: Actor, division_code: str) -> None:
        """Make what a unit's form cannot do without, before it is opened for the first time."""

    def context(
        self, connection: Connection, division_code: str, period_start: date | None = None
    ) -> Context:
        """Return the facts that the unit's content is checked against, and its rows.

        They are those of the period that begins on `period_start`, of the newest for None.
        """

    def prefilled(
        self, connection: Connection, division_code: str, period_start: date | None = None
    ) -> Content:
        """Return the content a new draft starts from: what the province accepted last before."""

    def spanning_problems(self, form: Form, content: Content, context: Context) -> list[Problem]:
        """Return what is wrong or doubtful between the rows."""

    def write_filed(self, connection: Connection, submission_id: int, version_no: int) -> None:
        """Write the typed rows of a version that was just filed."""

    def accept(self, connection: Connection, versions: Mapping[int, int], user_id: int) -> None:
        """Turn the filed rows of versions, each of a unit of its own, into accepted facts.

        `versions` is submission_id to version_no.
        """


@runtime_checkable
class AskedForMany(Protocol):
    """What a form brings that is filed for hundreds of units: one question for all of them."""

    def contexts(
        self, connection: Connection, codes: Sequence[str], period_start: date | None = None
    ) -> dict[str, Context]:
        """Return the facts of each unit; a unit that is none is left out."""

    def prefills(
        self, connection: Connection, codes: Sequence[str], period_start: date | None = None
    ) -> dict[str, Content]:
        """Return the content that a new draft of each unit starts from."""


FORMS: Mapping[str, ReportingForm] = {
    progress_form.FORM_CODE: progress_form,
    compile_form.FORM_CODE: compile_form,
    village_form.FORM_CODE: village_form,
    assessment_form.FORM_CODE: assessment_form,
}


def find_form(form_code: str) -> ReportingForm:
    """Return what the form does on its own; raise NotFound for a form this portal does not run."""
    found = FORMS.get(form_code)
    if found is None:
        raise NotFound(form_code=form_code)
    return found


def contexts_of(
    connection: Connection, form_code: str, codes: Sequence[str], period_start: date
) -> dict[str, Context]:
    """Return what the content of each of these units is checked against in a period, by unit."""
    own = find_form(form_code)
    if isinstance(own, AskedForMany):
        return own.contexts(connection, codes, period_start)
    return {code: own.context(connection, code, period_start) for code in codes}


def prefills_of(
    connection: Connection, form_code: str, codes: Sequence[str], period_start: date
) -> dict[str, Content]:
    """Return the content that a new draft of each of these units starts from, by unit."""
    own = find_form(form_code)
    if isinstance(own, AskedForMany):
        return own.prefills(connection, codes, period_start)
    return {code: own.prefilled(connection, code, period_start) for code in codes}
