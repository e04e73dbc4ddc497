"""What can go wrong, in the words of the business.

* PortalError
  * NotFound, NotPermitted, InvalidAction, PeriodClosed, NoOpenPeriod
  * StaleVersion, DraftConflict
  * InvalidContent          the filed content breaks rules: `problems` lists them
  * RuleViolation           the database refused: `constraint` names the promise
  * InvalidImport           a file that cannot be taken: `problems` lists rows and reasons
  * SignInRefused, AccountLocked, WeakPassword
  * UploadRefused, UnreadableEvidence
  * WorkbookRefused         a workbook that cannot be read at all: `reason`
  * CsvRefused              a CSV file that cannot be taken at all: `reason`
  * TooBroad                a search that would take too long
  * PositionRefused         a position that cannot be taken as it is: `reason`
  * SampleNotDrawn, SampleNotSeen   the random sample stands before a bulk acceptance
  * InvalidSetting          a setting cannot take this value: `reason`
  * InvalidRule             a rule cannot be kept as it is: `fault`, and the `names` it is about
  * InvalidFormula          a formula of an indicator that is refused: `problems` says why
  * InvalidWarningRules     a version of the warning rules that is refused: `problems` says why
  * InvalidTargets          targets that are refused: `problems` says which and why
  * DatabaseAway

The class name is the message key: `components.words.errors.ERROR_MESSAGES` holds the Chinese
sentence for each, with the `details` as its placeholders.
"""


class PortalError(Exception):
    """Base of every error a user may be shown."""

    def __init__(self, **details: object) -> None:
        super().__init__(", ".join(f"{key}={value!r}" for key, value in details.items()))
        self.details = details

    def __reduce__(self) -> tuple[object, ...]:
        """Let an error travel between processes with its details."""
        return _rebuilt, (type(self), self.details)


def _rebuilt(kind: type["PortalError"], details: dict[str, object]) -> "PortalError":
    return kind(**details)


class NotFound(PortalError):
    """No such record, or not within the actor's data scope."""


class NotPermitted(PortalError):
    """None of the actor's grants allows this here."""


class InvalidAction(PortalError):
    """The action does not exist in the record's present state."""


class PeriodClosed(PortalError):
    """The reporting period takes no first reports any more."""


class NoOpenPeriod(PortalError):
    """No reporting period of the form is open: `form_code`."""


class UnchangedSinceReturn(PortalError):
    """A returned report was neither changed nor answered, and would only come back again."""


class StaleVersion(PortalError):
    """Somebody changed the record after the actor opened it."""


class DraftConflict(PortalError):
    """Somebody saved the draft after the actor opened it: `saved_by`, `saved_at`, `content`."""


class InvalidContent(PortalError):
    """The content breaks the form's rules: `problems` is a list of domain.forms.Problem."""


class RuleViolation(PortalError):
    """The database refused the values: a named constraint does not hold."""


class InvalidImport(PortalError):
    """A file cannot be imported: `problems` is a list of sentences with their row numbers."""


class SignInRefused(PortalError):
    """User name and password do not belong together, or the account is disabled."""


class AccountLocked(PortalError):
    """Too many failures: the account waits until `until`."""


class WeakPassword(PortalError):
    """The new password does not meet the policy: `reason`."""


class UploadRefused(PortalError):
    """The upload is too large, of a type that is not taken here, or damaged: `reason`."""


class WorkbookRefused(PortalError):
    """A workbook cannot be taken as a whole: `reason` is a domain.workbook.Refusal."""


class CsvRefused(PortalError):
    """A CSV file cannot be taken as a whole: `reason` is a domain.csv_data.CsvRefusal."""


class TooBroad(PortalError):
    """The search looked through more than could be read in the time a page waits."""


class PositionRefused(PortalError):
    """A village cannot be placed there, or not without a reason: `reason` says which."""


class SampleNotDrawn(PortalError):
    """Of `count` reports no sample was drawn yet: they are not accepted in bulk."""


class SampleNotSeen(PortalError):
    """Of the sample `count` villages were not opened yet: `villages` names the first of them."""


class InvalidSetting(PortalError):
    """A setting cannot take this value: `reason`."""


class InvalidRule(PortalError):
    """A rule cannot be kept: `fault` is a domain.check_rules.RuleFault; `names` may say where."""


class InvalidFormula(PortalError):
    """An indicator cannot be computed so: `problems` is a list of sentences."""


class InvalidWarningRules(PortalError):
    """Levels cannot be judged so: `problems` is a list of sentences."""


class InvalidTargets(PortalError):
    """Targets cannot be kept so: `problems` is a list of sentences."""


class DatabaseAway(PortalError):
    """The database cannot be reached at this moment."""
