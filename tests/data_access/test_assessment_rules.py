"""Versions of the warning rules: refused with sentences, tried, kept; the years before stay."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import ProgrammingError

from data_access import assessment, assessment_rules, indicators
from data_access.database import transaction
from domain.assessment import Level
from domain.errors import InvalidWarningRules, NotPermitted, RuleViolation, StaleVersion
from domain.warning_rules import RulesDraft, TypedBand
from tests.actors import COUNTY
from tests.assessments import accept, assess, levels, set_target
from tests.standing import NEIGHBOUR


@pytest.fixture
def years(owner, bureau):
    """Two years; a county 3 % above its binding floor is normal, its neighbour is below."""
    for unit, value in ((COUNTY, 103), (NEIGHBOUR, 99)):
        set_target(owner, unit, "CULT_LAND", 2035, 100)
        for year in (2024, 2025):
            accept(owner, year, {unit: {"CULT_LAND": value}}, bureau.user_id)
    assess(owner, raising=True)


def draft(actor, **changes) -> RulesDraft:
    with transaction(actor, read_only=True) as connection:
        last = assessment_rules.list_versions(connection)[0]
        profiles = indicators.list_profiles(connection, last.rule_version)
    begun = assessment_rules.draft_of(last, profiles)
    given = {"valid_from_year": 2025, "title": "新规则", "basis_note": "试验"} | changes
    return replace(begun, **given)


def with_band(begun: RulesDraft, code: str, level: Level, band: TypedBand) -> RulesDraft:
    profile = begun.profiles[code]
    changed = replace(profile, bands={**profile.bands, level: band})
    return replace(begun, profiles={**begun.profiles, code: changed})


def wider(begun: RulesDraft) -> RulesDraft:
    """A county up to 5 % above its floor is told."""
    return with_band(begun, "BIND_FLOOR", Level.HINT, TypedBand("1.01", True, "1.05", False))


def save(actor, wanted):
    with transaction(actor, action="assessment_rules.save") as connection:
        return assessment_rules.save_rules(connection, actor, wanted)


def test_new_rules_judge_the_newest_year_and_leave_the_one_before(owner, bureau, years):
    wanted = wider(draft(bureau))
    with transaction(bureau, action="assessment_rules.preview") as connection:
        [change] = assessment_rules.preview_rules(connection, bureau, wanted)
    assert (change.from_level, change.level, change.results) == (Level.NORMAL, Level.HINT, 1)
    assert owner.execute("SELECT count(*) FROM assessment_rules").fetchone() == (1,)
    kept = save(bureau, wanted)
    assert (kept.rule_version, kept.changed, kept.raised) == (2, 1, 1)
    assert levels(owner, 2025, "CULT_LAND")[COUNTY] == "hint"
    assert levels(owner, 2024, "CULT_LAND")[COUNTY] == "normal"
    with transaction(bureau, read_only=True) as connection:
        before = {
            cell.division_code: cell.level
            for cell in assessment.list_cells(connection, 2025, ["CULT_LAND"], 1)
        }
        version = assessment_rules.list_versions(connection)[0]
    assert before[COUNTY] is Level.NORMAL
    assert (version.title, version.made_by_name) == ("新规则", "bureau先生")


def test_what_did_not_change_raises_nothing_again(owner, bureau):
    """An item in hand says the rules that judged it last; its level, limit and history stay.

    What was assessed by the rules before stays too, and so does a closed item.
    """
    set_target(owner, COUNTY, "CULT_LAND", 2035, 100)
    for year, value in ((2024, 110), (2025, 99)):
        accept(owner, year, {COUNTY: {"CULT_LAND": value}}, bureau.user_id)
    assess(owner, raising=True)

    def item():
        [row] = owner.execute(
            "SELECT rule_version, to_jsonb(item) - 'rule_version' FROM indicator_warning AS item"
        ).fetchall()
        return row

    rules, before = item()
    assert (rules, before["level"], before["report_year"]) == (1, "severe", 2025)
    save(bureau, wider(draft(bureau)))
    assert item() == (2, before)
    assert owner.execute("SELECT count(*) FROM indicator_warning_note").fetchone() == (1,)
    assert owner.execute(
        "SELECT rule_version, level FROM assessment_result WHERE report_year = 2025"
        " AND division_code = %s AND canonical_code = 'CULT_LAND' ORDER BY 1",
        [COUNTY],
    ).fetchall() == [(1, "severe"), (2, "severe")]
    owner.execute(
        "UPDATE indicator_warning SET state = 'closed', closed_at = now(), closed_by = %s",
        [bureau.user_id],
    )
    save(bureau, replace(draft(bureau), yellow_years=3))
    assert item()[0] == 2


def test_rules_for_a_later_year_wait_for_it(owner, bureau, years):
    wanted = wider(draft(bureau, valid_from_year=2026))
    with transaction(bureau, action="assessment_rules.preview") as connection:
        [change] = assessment_rules.preview_rules(connection, bureau, wanted)
    assert (change.level, change.results) == (Level.HINT, 1)
    assert save(bureau, wanted).changed == 0
    assert levels(owner, 2025, "CULT_LAND")[COUNTY] == "normal"


def test_a_version_of_the_same_year_corrects_the_one_before(owner, bureau, years):
    save(bureau, wider(draft(bureau)))
    again = with_band(
        draft(bureau), "BIND_FLOOR", Level.HINT, TypedBand("1.01", True, "1.02", False)
    )
    assert save(bureau, again).changed == 1
    assert levels(owner, 2025, "CULT_LAND")[COUNTY] == "normal"


def test_the_trail_has_who_made_the_version(owner, bureau, years):
    save(bureau, wider(draft(bureau)))
    rows = owner.execute(
        "SELECT DISTINCT table_name, user_id FROM row_change WHERE action = 'assessment_rules.save'"
        " AND table_name IN ('assessment_rules', 'warning_profile') ORDER BY 1"
    ).fetchall()
    assert rows == [("assessment_rules", bureau.user_id), ("warning_profile", bureau.user_id)]


@pytest.mark.parametrize(
    ("level", "band", "sentence"),
    [
        (Level.HINT, TypedBand("1.01", True, "一成", False), "“一成”不是可用的数"),
        (Level.HINT, TypedBand("1.05", True, "1.01", False), "下限 1.05 大于上限 1.01"),
        (Level.HINT, TypedBand("1.02", True, "1.03", False), "蓝与黄之间有空档（1.01 至 1.02）"),
        (Level.HINT, TypedBand("1.008", True, "1.02", False), "蓝与黄重叠或次序颠倒"),
        (Level.HINT, TypedBand("1.01", False, "1.02", False), "漏掉分界的 1.01"),
        (Level.WATCH, TypedBand("1.005", True, "1.01", True), "分界的 1.01 只能属于一级"),
        (Level.SEVERE, TypedBand("0.5", True, "1", False), "红是最重的一级，下限应留空"),
    ],
)
def test_bands_that_do_not_hold_together_are_refused(bureau, level, band, sentence):
    wanted = with_band(draft(bureau), "BIND_FLOOR", level, band)
    with pytest.raises(InvalidWarningRules) as refused:
        save(bureau, wanted)
    assert any(
        "约束下限型" in each and sentence in each for each in refused.value.details["problems"]
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": " "}, "请填写规则名称"),
        ({"basis_note": ""}, "请填写依据说明"),
        ({"valid_from_year": 2024}, "首个数据年度应在 2025 至 2035 之间"),
        ({"yellow_years": 1}, "应为 2 至 5"),
        ({}, "没有改动"),
    ],
)
def test_what_is_missing_is_said(bureau, years, changes, sentence):
    with pytest.raises(InvalidWarningRules) as refused:
        save(bureau, draft(bureau, **changes))
    assert sentence in str(refused.value.details["problems"])


def test_only_the_bureau_makes_rules_and_the_slower_of_two_is_told(owner, bureau, county, years):
    wanted = wider(draft(bureau))
    with pytest.raises(NotPermitted):
        save(county, wanted)
    save(bureau, wanted)
    with pytest.raises(StaleVersion):
        save(bureau, wanted)


def test_the_database_itself_lets_nobody_else_write_rules(county):
    for statement in (
        "INSERT INTO assessment_rules (rule_version, title, valid_from_year, yellow_years, basis"
        ", basis_note) VALUES (9, 'x', 2030, 2, 'assumed', '')",
        "SELECT begin_assessment_rules(1)",
    ):
        with (
            pytest.raises(ProgrammingError, match=r"row-level security|planning bureau"),
            transaction(county, action="x.y") as connection,
        ):
            connection.exec_driver_sql(statement)


def test_limits_in_working_days_change_with_a_trail(owner, bureau, county):
    def change(actor, level, opened, days):
        with transaction(actor, action="warning_level.save") as connection:
            assessment_rules.save_working_days(connection, actor, level, opened, days)

    change(bureau, Level.SEVERE, 5, 3)
    found = owner.execute("SELECT working_days FROM warning_level WHERE level = 'severe'")
    assert found.fetchone() == (3,)
    with pytest.raises(StaleVersion):
        change(bureau, Level.SEVERE, 5, 4)
    with pytest.raises(NotPermitted):
        change(county, Level.SEVERE, 3, 30)
    with pytest.raises(RuleViolation):
        change(bureau, Level.SEVERE, 3, 0)
    [(action,)] = owner.execute(
        "SELECT action FROM row_change WHERE table_name = 'warning_level' AND user_id = %s",
        [bureau.user_id],
    ).fetchall()
    assert action == "warning_level.save"
