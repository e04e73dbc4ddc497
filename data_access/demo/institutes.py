"""Invented compile units: their names say so, and their codes have valid check characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from domain.uscc import check_character

_DAY = timedelta(days=1)
_STEMS = (
    "云杉", "青禾", "望舒", "砥石", "流岚", "听松", "明渠", "折桂", "墨白", "远岫", "清川", "扶光",
    "若水", "鹿鸣", "行止", "方圆里", "经纬间", "百草", "星野", "拾阶", "半亩", "知行", "观澜台",
    "枕石", "采薇", "凌霄木", "问渠", "守拙", "落星", "白鹭", "晴耕", "朗月",
)  # fmt: skip
# Type (BZDWLX) with the end of the name, and how likely each grade (BZDWZZ) is among them.
_KINDS = (
    ("1", "国土空间规划设计研究院", ("1", "1", "1", "2")),
    ("1", "规划设计有限公司", ("1", "2", "2", "3")),
    ("2", "土地规划事务所", ("2", "3", "3", "3")),
    ("3", "大学规划设计院", ("1", "1", "2", "2")),
    ("4", "测绘地理信息院", ("2", "2", "3", "9")),
    ("5", "空间咨询有限公司", ("2", "3", "3", "9")),
)
_ELSEWHERE = (
    ("420000", "湖北省"),
    ("310000", "上海市"),
    ("330000", "浙江省"),
    ("440000", "广东省"),
)
_SHARE_AT_HOME = 0.6
_CODE_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Institute:
    """A compile unit as its certificate has it."""

    uscc: str
    name: str
    unit_type: str
    grade: str
    cert_no: str
    cert_valid: date
    province: str
    weight: float
    """How often it is chosen: a few compile for many counties."""


def invent(rng: Random, home: tuple[str, str], today: date) -> list[Institute]:
    """Return the institutes; `home` is the province's code and name."""
    return [_institute(rng, number, stem, home, today) for number, stem in enumerate(_STEMS)]


def _institute(
    rng: Random, number: int, stem: str, home: tuple[str, str], today: date
) -> Institute:
    kind, ending, grades = _KINDS[number % len(_KINDS)]
    code, province = home if rng.random() < _SHARE_AT_HOME else rng.choice(_ELSEWHERE)
    grade = rng.choice(grades)
    body = f"91{code}MA{''.join(rng.choices(_CODE_SIGNS, k=7))}"
    has_run_out = number % 9 == 8
    valid = rng.randint(-200, -20) if has_run_out else rng.randint(60, 1500)
    word = {"1": "甲", "2": "乙"}.get(grade, "暂")
    return Institute(
        uscc=body + check_character(body),
        name=f"{stem}{ending}（演示）",
        unit_type=kind,
        grade=grade,
        cert_no=f"演{word}资规{rng.randint(10000, 99999)}",
        cert_valid=today + valid * _DAY,
        province=province,
        weight=1 / (1 + number % 16) ** 0.7,
    )


def choose(rng: Random, institutes: Sequence[Institute], signed_on: date) -> Institute:
    """Return one whose certificate held when the contract was signed."""
    fit = [each for each in institutes if each.cert_valid >= signed_on]
    return rng.choices(fit, weights=[each.weight for each in fit])[0]
