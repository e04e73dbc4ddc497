"""Every word a user can meet has its Chinese."""

import csv
import json
import re
from enum import StrEnum
from importlib import import_module

import pytest

from components.labels import LABELS, error_message
from components.setting_inputs import PARTS
from components.words.constraints import CONSTRAINT_MESSAGES
from components.words.errors import ERROR_MESSAGES
from domain.errors import AccountLocked, PortalError, RuleViolation, WeakPassword
from domain.passwords import PasswordFault
from tests.paths import ROOT

MIGRATIONS = ROOT / "data_access" / "migrations"


def vocabularies() -> set[type[StrEnum]]:
    for path in (ROOT / "domain").glob("*.py"):
        import_module(f"domain.{path.stem}")
    return {each for each in StrEnum.__subclasses__() if each.__module__.startswith("domain.")}


def test_every_vocabulary_has_its_words():
    assert vocabularies() <= set(LABELS)


@pytest.mark.parametrize("vocabulary", LABELS, ids=lambda each: each.__name__)
def test_every_member_has_a_label(vocabulary):
    assert set(LABELS[vocabulary]) == set(vocabulary)


def test_every_error_has_a_message():
    assert set(ERROR_MESSAGES) == set(PortalError.__subclasses__())


def test_every_constraint_with_a_message_is_in_the_schema():
    schema = "".join(path.read_text("utf-8") for path in sorted(MIGRATIONS.glob("*.sql")))
    # PostgreSQL makes up the names of foreign keys.
    named = {str(name) for name in CONSTRAINT_MESSAGES if not str(name).endswith("_fkey")}
    assert [name for name in named if not re.search(rf"\b{name}\b", schema)] == []


def test_sentence_names_the_reason():
    assert "不能包含用户名" in error_message(WeakPassword(reason=PasswordFault.CONTAINS_USERNAME))


def test_constraint_has_its_own_sentence():
    assert error_message(RuleViolation(constraint="account_username_once")).startswith("该用户名")


def test_forgotten_detail_still_gives_a_sentence():
    assert error_message(AccountLocked()).endswith("解锁。")


def test_every_part_of_a_setting_has_its_words():
    settings = ROOT / "data_access" / "reference" / "portal_setting.csv"
    with settings.open(encoding="utf-8", newline="") as file:
        values = [json.loads(row["value"]) for row in csv.DictReader(file)]
    assert {part for value in values if isinstance(value, dict) for part in value} <= set(PARTS)
