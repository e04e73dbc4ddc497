"""The evaluation of a village: who files it, what must fit, who reviews it, what is kept."""

import psycopg
import pytest

from data_access import drafts, filing, reporting, village_worklist
from data_access.database import transaction
from domain.access import Role
from domain.clock import today
from domain.errors import InvalidContent, NotFound, NotPermitted
from domain.workflow import ReviewAction, SubmissionState
from tests.actors import CITY, COUNTY, make_actor
from tests.reports import act
from tests.villages import (
    complete,
    open_village,
    open_village_period,
    pass_all_steps,
    villages_of,
)

YEAR = 2026


@pytest.fixture
def period_of_year(owner) -> int:
    return open_village_period(owner, YEAR)


def township_of(owner: psycopg.Connection, village: str) -> str:
    return owner.execute(
        "SELECT parent_code FROM admin_division_version WHERE code = %s", [village]
    ).fetchone()[0]


def saved(actor, submission, change=lambda content: content):
    """Fill the draft in completely, changed by `change`, and return its content as saved."""
    with transaction(actor) as connection:
        state = filing.read_state(connection, actor, submission.submission_id)
        content = change(complete(state.content))
        filing.save_checked(
            connection, actor, submission.submission_id, content, state.submission.draft_version
        )
        return drafts.get_draft(connection, submission.submission_id).content


def problems_of(actor, submission) -> dict[str, str]:
    with pytest.raises(InvalidContent) as refused:
        act(actor, submission.submission_id, ReviewAction.SUBMIT)
    return {each.path: each.message for each in refused.value.details["problems"]}


def test_what_the_portal_knows_of_a_village_is_not_typed(officer, village, period_of_year):
    opened = open_village(officer, period_of_year, village)
    with transaction(officer, read_only=True) as connection:
        state = filing.read_state(connection, officer, opened.submission_id)
    form = state.content["form"]
    assert (form["village_code"], form["county_code"], form["city_code"]) == (village, COUNTY, CITY)
    assert form["report_year"] == YEAR
    assert form["longitude"].startswith("11")
    rows = state.content["natural_village"]
    assert [row["natural_code"] for row in rows] == [f"{village}{n:03}" for n in (1, 2, 3)]
    assert [row["natural_name"] for row in rows] == ["上湾", "下湾", "石桥"]
    content = saved(officer, opened, lambda c: c | {"form": c["form"] | {"village_name": "他村"}})
    assert content["form"]["village_name"] == form["village_name"]


def test_an_officer_files_the_villages_of_his_township_and_no_others(
    owner, officer, village, period_of_year
):
    elsewhere = next(
        code for code in villages_of(owner, COUNTY) if not code.startswith(village[:9])
    )
    with transaction(officer) as connection, pytest.raises(NotPermitted):
        drafts.open_submission(connection, officer, period_of_year, elsewhere)
    with transaction(officer) as connection, pytest.raises(NotFound):
        drafts.open_submission(connection, officer, period_of_year, COUNTY)


def test_a_worklist_says_of_a_village_the_same_to_township_and_county(
    owner, officer, village, period_of_year
):
    """A village under a township of another county keeps its code, and has that one's name."""
    opened = open_village(officer, period_of_year, village)
    moved, far = villages_of(owner, COUNTY)[-1], township_of(owner, villages_of(owner, "360121")[0])
    owner.execute(
        "UPDATE admin_division_version SET parent_code = %s WHERE code = %s", [far, moved]
    )
    filer = make_actor(owner, "filer", Role.COUNTY, COUNTY)
    lists = []
    for actor in (officer, filer):
        with transaction(actor, read_only=True) as connection:
            lists.append(village_worklist.read_held(connection, actor).villages)
    town, county = lists
    assert [each.code for each in county] == sorted(villages_of(owner, COUNTY))
    assert [each for each in county if each.town_code == village[:9]] == town
    mine = next(each for each in town if each.code == village)
    assert (mine.submission_id, mine.state, mine.draft_version) == (
        opened.submission_id,
        "draft",
        1,
    )
    assert next(each for each in town if each.code != village).state == village_worklist.NOT_BEGUN
    (name,) = owner.execute(
        "SELECT name FROM admin_division_version WHERE code = %s", [far]
    ).fetchone()
    assert county[-1].town_name == name


def test_another_township_sees_nothing_of_the_answers(owner, officer, village, period_of_year):
    opened = open_village(officer, period_of_year, village)
    saved(officer, opened)
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    other = next(code for code in villages_of(owner, COUNTY) if not code.startswith(village[:9]))
    stranger = make_actor(owner, "stranger", Role.TOWNSHIP, township_of(owner, other))
    with transaction(stranger, read_only=True) as connection:
        with pytest.raises(NotFound):
            reporting.get_submission(connection, opened.submission_id)
        for table in ("submission", "submission_version", "filed_village_evaluation",
                      "filed_natural_village_evaluation"):  # fmt: skip
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_natural_villages_together_have_no_more_than_their_village(
    officer, village, period_of_year
):
    opened = open_village(officer, period_of_year, village)
    saved(officer, opened, lambda c: c | {"form": c["form"] | {
        "hukou_pop": 1000, "construction_area": "10.4", "homestead_area": "5", "natural_cnt": 4,
    }})  # fmt: skip
    found = problems_of(officer, opened)
    assert found == {
        "form.hukou_pop": "各自然村户籍人口合计 1050 人，大于行政村的 1000 人，请核对。",
        "form.construction_area": (
            "各自然村村庄建设用地面积合计 10.5 公顷，大于行政村的 10.4 公顷，请核对。"
        ),
        "form.natural_cnt": ("填报的自然村个数为 4，名录中本村有 3 个自然村，两者应一致。"),
    }


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"resident_pop": 3601}, "resident_pop", "超过户籍人口 1200 人的 3 倍"),
        ({"geohazard_points": 2}, "geohazard_level", "请填写最高隐患等级"),
        ({"geohazard_points": 2, "geohazard_level": "0"}, "geohazard_level", "不能选“无”"),
        ({"trad_village_level": "3"}, "heritage_desc", "请填写历史文化资源说明"),
        ({"village_class": "4", "relocate_reason": "1"}, "relocate_plan", "请填写拟搬迁撤并说明"),
        ({"pbf_area": "127"}, "pbf_area", "超过耕地面积 120.25 公顷的 105%"),
        ({"plan_status": "1"}, "approve_no", "请填写批复文号"),
        ({"next_plan": True, "next_plan_year": 2040}, "next_plan_year", "5 年以内"),
        ({"fill_phone": "123"}, "fill_phone", "不是电话号码"),
    ],
)
def test_each_rule_says_what_is_wrong(officer, village, period_of_year, changes, path, words):
    opened = open_village(officer, period_of_year, village)
    saved(officer, opened, lambda c: c | {"form": c["form"] | changes})
    assert words in problems_of(officer, opened)[f"form.{path}"]


def test_a_village_passes_county_city_and_province_and_is_kept_as_typed_rows(
    owner, officer, village, period_of_year
):
    opened = open_village(officer, period_of_year, village)
    saved(officer, opened)
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    moved = pass_all_steps(owner, opened.submission_id)
    assert moved.state is SubmissionState.FILED
    receipt = owner.execute("SELECT receipt_no FROM submission").fetchone()[0]
    assert receipt == f"V{YEAR}01-{village}-01"
    row = owner.execute(
        "SELECT division_code, report_year, hukou_pop, cultivated_area, clinic"
        ", per_capita_construction FROM accepted_village_evaluation"
    ).fetchone()
    assert [str(each) for each in row] == [
        village, str(YEAR), "1200", "120.2500", "True", "104.17",
    ]  # fmt: skip
    rows = owner.execute(
        "SELECT natural_code, hukou_pop FROM accepted_natural_village_evaluation ORDER BY 1"
    ).fetchall()
    assert rows == [(f"{village}{number:03}", 350) for number in (1, 2, 3)]


def test_a_draft_that_holds_a_merged_natural_village_is_filed_without_it(
    owner, officer, village, period_of_year
):
    opened = open_village(officer, period_of_year, village)
    merged = f"{village}003"

    def two_left(content):
        content["form"]["natural_cnt"] = 2
        return content

    saved(officer, opened, two_left)
    owner.execute(
        "UPDATE natural_village SET valid_to = %s, end_reason = '并入石桥' WHERE code = %s",
        [today(), merged],
    )
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    pass_all_steps(owner, opened.submission_id)
    filed = "SELECT natural_code FROM accepted_natural_village_evaluation ORDER BY 1"
    assert owner.execute(filed).fetchall() == [(f"{village}001",), (f"{village}002",)]


def test_who_filed_for_the_county_does_not_review_it(owner, village, period_of_year):
    filer = make_actor(owner, "county_filer", Role.COUNTY, COUNTY)
    colleague = make_actor(owner, "county_colleague", Role.COUNTY, COUNTY)
    opened = open_village(filer, period_of_year, village)
    saved(filer, opened)
    act(filer, opened.submission_id, ReviewAction.SUBMIT)
    with pytest.raises(NotPermitted):
        act(filer, opened.submission_id, ReviewAction.APPROVE)
    act(colleague, opened.submission_id, ReviewAction.APPROVE)


def test_last_years_values_start_this_year_and_stand_beside(owner, officer, village):
    opened = open_village(officer, open_village_period(owner, YEAR - 1), village)
    saved(officer, opened)
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    pass_all_steps(owner, opened.submission_id)
    following = open_village(officer, open_village_period(owner, YEAR), village)
    with transaction(officer, read_only=True) as connection:
        state = filing.read_state(connection, officer, following.submission_id)
    assert state.content["form"]["hukou_pop"] == 1200
    assert state.content["form"]["report_year"] == YEAR
    assert state.content["natural_village"][2]["construction_area"] == "3.5"
    assert state.context.is_accepted
    assert state.accepted["form"]["cultivated_area"] == "120.25"


def test_an_older_report_that_comes_back_keeps_its_year(owner, officer, village, period_of_year):
    older = open_village_period(owner, YEAR - 1)
    opened = open_village(officer, older, village)
    assert saved(officer, opened)["form"]["report_year"] == YEAR - 1
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    county = make_actor(owner, "county", Role.COUNTY, COUNTY)
    act(county, opened.submission_id, ReviewAction.RETURN, "请核对。")
    with transaction(officer, read_only=True) as connection:
        state = filing.read_state(connection, officer, opened.submission_id)
    assert state.content["form"]["report_year"] == YEAR - 1
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    years = owner.execute(
        "SELECT DISTINCT filed.report_year, version.content #>> '{form,report_year}'"
        "  FROM filed_village_evaluation AS filed"
        "  JOIN submission_version AS version USING (submission_id, version_no)"
    ).fetchall()
    assert years == [(YEAR - 1, str(YEAR - 1))]
    newer = open_village(officer, period_of_year, village)
    assert saved(officer, newer)["form"]["report_year"] == YEAR
