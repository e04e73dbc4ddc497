"""The forms that run on the reporting core, each with what it does on its own."""

from types import ModuleType

from data_access import progress_form

FORMS: dict[str, ModuleType] = {"plan_progress": progress_form}
