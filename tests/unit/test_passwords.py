"""What a password must be like."""

import pytest

from domain.errors import WeakPassword
from domain.passwords import PasswordFault, check_password, make_password, password_fault


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("Jing-Tai 2026", None),
        ("jing-tai-2026", None),
        ("规划一张图监督系统Abc9", None),
        ("Ab1-", PasswordFault.TOO_SHORT),
        ("", PasswordFault.TOO_SHORT),
        ("口令Aa1" * 10, PasswordFault.TOO_LONG),
        ("Anyi-2026-plan", PasswordFault.CONTAINS_USERNAME),
        ("P@ssw0rd2026", PasswordFault.COMMON),
        ("Aa1Aa1Aa1Aa1", PasswordFault.REPEATED),
        ("jiangxiguihua", PasswordFault.TOO_FEW_CLASSES),
        ("jiangxi202611", PasswordFault.TOO_FEW_CLASSES),
    ],
)
def test_password_is_judged(password, fault):
    assert password_fault(password, "anyi") is fault


def test_refusal_says_why():
    with pytest.raises(WeakPassword) as refused:
        check_password("short", "anyi")
    assert refused.value.details["reason"] is PasswordFault.TOO_SHORT


def test_made_up_passwords_meet_the_policy_and_differ():
    made = {make_password() for _ in range(200)}
    assert len(made) == 200
    assert {password_fault(each, "anyi") for each in made} == {None}
    assert not set("lI1O0") & set("".join(made))
