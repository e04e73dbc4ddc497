"""Villages as CSV: what comes back is read as it was meant, compared, and written as a whole."""

from threading import Thread

import pytest

from data_access import (
    csv_apply,
    csv_batches,
    csv_rules,
    decisions,
    drafts,
    filing,
    reporting,
)
from data_access.database import transaction
from domain.access import Role
from domain.csv_data import CsvState
from domain.errors import InvalidAction, NotPermitted
from domain.workbook_diff import Decision
from domain.workflow import ReviewAction, SubmissionState
from tests.actors import CITY, COUNTY, PROVINCE, make_actor
from tests.csvs import as_csv, as_zip, checked, handed_out, quietly, rows_of
from tests.patience import wait_until
from tests.reports import act
from tests.villages import (
    add_natural_villages,
    complete,
    open_village,
    open_village_period,
    villages_of,
)

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def villages(owner) -> list[str]:
    """Three villages, each with three natural villages."""
    codes = villages_of(owner, COUNTY)[:3]
    for code in codes:
        add_natural_villages(owner, code)
    return codes


@pytest.fixture
def year(owner) -> int:
    return open_village_period(owner, 2026)


@pytest.fixture
def officer(owner, villages):
    return make_actor(owner, "officer", Role.TOWNSHIP, villages[0][:9])


@pytest.fixture
def bureau(owner):
    return make_actor(owner, "importer", Role.PLAN_BUREAU, PROVINCE)


@pytest.fixture
def opened(officer, year, villages):
    """The evaluations of the villages, begun and filled in."""
    submissions = [open_village(officer, year, code) for code in villages]
    for submission in submissions:
        save(officer, submission)
    return submissions


def save(actor, submission, **values):
    with transaction(actor) as connection:
        state = filing.read_state(connection, actor, submission.submission_id)
        content = complete(state.content)
        content["form"] |= values
        filing.save_checked(
            connection, actor, submission.submission_id, content, state.submission.draft_version
        )


def content_of(actor, submission):
    with transaction(actor, read_only=True) as connection:
        return drafts.get_draft(connection, submission.submission_id).content


def counted(actor, batch_id):
    with transaction(actor, read_only=True) as connection:
        return csv_batches.count_rows(connection, batch_id)


def state_of(actor, batch_id):
    with transaction(actor, read_only=True) as connection:
        return csv_batches.get_batch(connection, batch_id).state


def both(taken, encoding="utf-8-sig") -> bytes:
    return as_zip({f"{name}.csv": as_csv(rows, encoding) for name, rows in taken.items()})


def test_what_went_out_and_comes_back_untouched_changes_nothing(officer, year, opened, villages):
    taken = handed_out(officer, year)
    assert {name: len(rows) for name, rows in taken.items()}["自然村"] >= 9
    batch_id = checked(officer, year, both(taken))
    counts = counted(officer, batch_id)
    assert (counts.new, counts.changed, counts.conflicting, counts.refused) == (0, 0, 0, 0)
    assert counts.unchanged == counts.rows > 0


def test_columns_in_any_order_in_gbk_with_full_width_digits_are_understood(
    officer, year, opened, villages
):
    taken = handed_out(officer, year)
    row = next(r for r in taken["自然村"] if r["自然村代码"] == f"{villages[0]}001")
    row["户籍人口（人）"], row["自然村代码"] = "３６０", f"'{villages[0]}001"
    row["村庄建设用地面积（公顷）"] = "3.50"  # what stands there, with a zero that says nothing
    turned = [dict(reversed(each.items())) for each in taken["自然村"]]
    batch_id = checked(officer, year, as_csv(turned, "gb18030"))
    (changed,) = rows_of(officer, batch_id)
    assert (changed.kind, changed.new_values) == ("changed", {"hukou_pop": 360})
    assert (changed.row_key, changed.old_values) == (f"{villages[0]}001", {"hukou_pop": "350"})
    csv_apply.write(officer, batch_id, quietly)
    assert content_of(officer, opened[0])["natural_village"][0]["hukou_pop"] == 360


def test_each_row_that_is_written_stands_in_the_trail_with_both_values(
    owner, officer, year, opened, villages
):
    taken = handed_out(officer, year)
    for name, column in (("自然村", "户籍人口（人）"), ("行政村", "户籍户数（户）")):
        for row in taken[name]:
            row[column] = str(int(row[column] or 0) + 1)
    rows = {name: [r for r in part if r.get("户籍人口（人）") != "1"]
            for name, part in taken.items()}  # fmt: skip
    batch_id = checked(officer, year, both(rows))
    csv_apply.write(officer, batch_id, quietly)
    assert state_of(officer, batch_id) is CsvState.APPLIED
    entries = owner.execute(
        "SELECT after ->> 'row_key', after -> 'old_values', after -> 'new_values', user_id, action"
        "  FROM row_change WHERE table_name = 'csv_change' ORDER BY 1"
    ).fetchall()
    assert len(entries) == counted(officer, batch_id).to_write == len(rows_of(officer, batch_id))
    assert (f"{villages[0]}001", {"hukou_pop": "350"}, {"hukou_pop": 351}, officer.user_id,
            "csv.apply") in entries  # fmt: skip


def test_each_bad_row_is_named_with_its_reason_and_holds_up_no_other(
    officer, year, opened, villages
):
    village = villages[0]
    lines = [
        {"自然村代码": f"{village}001", "户籍人口": "很多", "自然村分类": "集聚发展"},
        {"自然村代码": f"{village}002", "户籍人口": "361", "自然村分类": "没有这一类"},
        {"自然村代码": "3.60121E+14", "户籍人口": "1", "自然村分类": ""},
        {"自然村代码": f"{village}777", "户籍人口": "1", "自然村分类": ""},
        {"自然村代码": "999999999999001", "户籍人口": "1", "自然村分类": ""},
        {"自然村代码": f"{villages[1]}001", "户籍人口": "1", "自然村分类": ""},
        {"自然村代码": f"{villages[1]}001", "户籍人口": "2", "自然村分类": ""},
        {"自然村代码": f"{village}003", "户籍人口": "362", "自然村分类": ""},
    ]
    batch_id = checked(officer, year, as_csv(lines, "utf-8"))
    found = {row.row_no: row for row in rows_of(officer, batch_id)}
    assert [(no, row.reason) for no, row in found.items() if row.kind == "refused"] == [
        (2, "not_understood"),
        (3, "not_understood"),
        (4, "not_understood"),
        (5, "unknown_row"),
        (6, "unknown_unit"),
        (7, "duplicate"),
        (8, "duplicate"),
    ]
    assert found[2].problem == "户籍人口：“很多”不是整数，请只填整数。"
    assert "不在可选范围内" in found[3].problem
    assert "科学计数" in found[4].problem
    assert found[7].problem == "8"
    # A file without a download: what somebody saved is not overwritten without being asked.
    assert (found[9].kind, found[9].conflicts) == ("conflicting", ["hukou_pop"])
    with transaction(officer) as connection:
        csv_batches.decide(connection, batch_id, Decision.MINE)
    csv_apply.write(officer, batch_id, quietly)
    natural = content_of(officer, opened[0])["natural_village"]
    assert [row["hukou_pop"] for row in natural] == [350, 350, 362]


def test_a_value_out_of_range_may_stand_in_the_draft_and_is_named(officer, year, opened, villages):
    row = {"自然村代码": f"{villages[0]}001", "户籍人口": "-5"}
    (found,) = rows_of(officer, checked(officer, year, as_csv([row])))
    assert "不能是负数" in found.problem
    assert found.kind == "conflicting"


def test_what_others_saved_after_the_download_is_a_conflict_to_be_decided(
    officer, year, opened, villages
):
    taken = handed_out(officer, year)
    save(officer, opened[0], hukou_pop=1300)
    row = next(r for r in taken["行政村"] if r["行政村代码"] == villages[0])
    row["户籍人口（人）"], row["户籍户数（户）"] = "1250", "310"
    batch_id = checked(officer, year, both(taken))
    (found,) = rows_of(officer, batch_id)
    assert (found.kind, found.conflicts) == ("conflicting", ["hukou_pop"])
    assert found.new_values == {"hukou_pop": 1250, "households": 310}
    with pytest.raises(InvalidAction), transaction(officer) as connection:
        csv_apply.apply(connection, officer, batch_id, quietly)
    with transaction(officer) as connection:
        csv_batches.decide(connection, batch_id, Decision.THEIRS)
    csv_apply.write(officer, batch_id, quietly)
    form = content_of(officer, opened[0])["form"]
    assert (form["hukou_pop"], form["households"]) == (1300, 310)


def test_a_draft_saved_between_preview_and_writing_is_compared_anew(
    officer, year, opened, villages
):
    taken = handed_out(officer, year)
    taken["行政村"][0]["户籍人口（人）"] = "1250"
    batch_id = checked(officer, year, both(taken))
    save(officer, opened[0], hukou_pop=1300)
    csv_apply.write(officer, batch_id, quietly)
    assert state_of(officer, batch_id) is CsvState.OPEN
    assert counted(officer, batch_id).undecided == 1
    assert content_of(officer, opened[0])["form"]["hukou_pop"] == 1300


def test_a_report_that_is_being_filed_is_waited_for_and_then_left_alone(
    owner, officer, year, opened, villages
):
    taken = handed_out(officer, year)
    taken["行政村"][0]["户籍人口（人）"] = "1250"
    batch_id = checked(officer, year, both(taken))
    writer = Thread(target=csv_apply.write, args=(officer, batch_id, quietly))
    before = content_of(officer, opened[0])
    with transaction(officer) as connection:
        seen = reporting.get_submission(connection, opened[0].submission_id)
        decisions.submit(connection, officer, seen.submission_id, seen.lock_version)
        writer.start()
        wait_until(lambda: is_waited_for(owner) or not writer.is_alive())
    writer.join()
    assert content_of(officer, opened[0]) == before
    assert state_of(officer, batch_id) is CsvState.OPEN
    assert [row.reason for row in rows_of(officer, batch_id)] == ["not_in_hand"]


def is_waited_for(owner) -> bool:
    return owner.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").fetchone()[0]


def test_a_crash_in_the_middle_leaves_nothing_and_the_next_attempt_writes_all(
    owner, officer, year, opened, villages, monkeypatch
):
    taken = handed_out(officer, year)
    taken["行政村"][0]["户籍人口（人）"] = "1250"
    taken["自然村"][0]["户籍人口（人）"] = "351"
    batch_id = checked(officer, year, both(taken))
    before = content_of(officer, opened[0])

    class Crash(Exception):
        pass

    def die(done: int, total: int, message: str) -> None:
        if done == 2:  # the rows are written, the drafts are not
            raise Crash

    with pytest.raises(Crash):
        csv_apply.write(officer, batch_id, die)
    assert content_of(officer, opened[0]) == before
    assert owner.execute("SELECT count(*) FROM csv_change").fetchone() == (0,)
    csv_apply.write(officer, batch_id, quietly)
    after = content_of(officer, opened[0])
    assert after["form"]["hukou_pop"] == 1250
    assert after["natural_village"][0]["hukou_pop"] == 351
    csv_apply.write(officer, batch_id, quietly)  # a job that is done twice writes once
    assert owner.execute("SELECT count(*) FROM csv_change").fetchone() == (2,)


def test_the_bureau_brings_data_into_drafts_and_the_township_files_them(
    owner, bureau, officer, year, villages
):
    lines = [{"行政村代码": villages[0], "户籍人口": "1200", "村庄分类": "集聚提升类"}]
    batch_id = checked(bureau, year, as_csv(lines))
    csv_apply.write(bureau, batch_id, quietly)
    submission = open_village(officer, year, villages[0])
    assert content_of(officer, submission)["form"]["hukou_pop"] == 1200
    assert submission.state is SubmissionState.DRAFT
    with pytest.raises(NotPermitted):
        act(bureau, submission.submission_id, ReviewAction.SUBMIT)


def test_an_officer_writes_into_the_villages_of_the_township_alone(
    owner, officer, year, villages, opened
):
    other = next(code for code in villages_of(owner, COUNTY) if code[:9] != villages[0][:9])
    lines = [{"行政村代码": other, "户籍人口": "5"}, {"行政村代码": villages[0], "户籍户数": "9"}]
    rows = [dict.fromkeys(("行政村代码", "户籍人口", "户籍户数"), "") | line for line in lines]
    found = rows_of(officer, checked(officer, year, as_csv(rows)))
    assert [row.reason for row in found if row.kind == "refused"] == ["not_yours"]
    city = make_actor(owner, "of_city", Role.CITY, CITY)
    with pytest.raises(NotPermitted):
        checked(city, year, as_csv(rows))


def test_a_filed_report_is_not_touched(officer, year, opened, villages):
    act(officer, opened[0].submission_id, ReviewAction.SUBMIT)
    row = {"行政村代码": villages[0], "户籍人口": "5"}
    (found,) = rows_of(officer, checked(officer, year, as_csv([row])))
    assert (found.kind, found.reason) == ("refused", "not_in_hand")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ("姓名,人口\n甲,1\n".encode(), "no_codes"),
        ("行政村代码\n360121100200\n".encode(), "no_fields"),
        ("行政村代码,户籍人口,户籍人口\n360121100200,1,1\n".encode(), "twice"),
        ("行政村代码,户籍人口\n".encode(), "empty"),
        (b"\xff\xff\xff\xff\x00\x01", "not_text"),
        (as_zip({"读我.txt": b"x"}), "empty"),
    ],
)
def test_a_file_that_is_not_taken_says_why_and_writes_nothing(
    owner, officer, year, villages, content, refusal
):
    batch_id = checked(officer, year, content)
    with transaction(officer, read_only=True) as connection:
        batch = csv_batches.get_batch(connection, batch_id)
    assert (batch.state, batch.refusal.partition("|")[0]) == (CsvState.REFUSED, refusal)
    assert rows_of(officer, batch_id) == []


def test_rules_over_fields_rows_and_last_year_are_said_at_the_row_of_the_file(
    officer, year, opened, villages
):
    village = villages[0]
    taken = handed_out(officer, year)
    row = next(r for r in taken["行政村"] if r["行政村代码"] == village)
    row["户籍人口（人）"], row["宅基地面积（公顷）"] = "1000", "13"
    row["村庄规划编制状态"] = "已批复"
    batch_id = checked(officer, year, both(taken))
    (found,) = rows_of(officer, batch_id)
    number = [r["行政村代码"] for r in taken["行政村"]].index(village) + 2
    assert (found.row_no, found.row_key, found.kind) == (number, "", "changed")
    said = found.problem.split("\n")
    assert "户籍人口：各自然村户籍人口合计 1050 人，大于行政村的 1000 人，请核对。" in said
    assert any(text.startswith("宅基地面积：宅基地面积 13 公顷，大于") for text in said)
    assert said[-1].startswith("还有 ")
    assert counted(officer, batch_id).problems == 1


def test_what_a_changed_natural_village_does_to_its_village_is_said_where_it_changed(
    officer, year, opened, villages
):
    taken = handed_out(officer, year)
    row = next(r for r in taken["自然村"] if r["自然村代码"] == f"{villages[0]}002")
    row["户籍人口（人）"] = "900"
    batch_id = checked(officer, year, as_csv(taken["自然村"]))
    (found,) = rows_of(officer, batch_id)
    assert (found.row_key, found.kind) == (f"{villages[0]}002", "changed")
    assert "户籍人口：各自然村户籍人口合计 1600 人，大于行政村的 1200 人，请核对。" in found.problem


def test_rules_are_asked_anew_where_a_draft_moved_and_not_of_what_was_written(
    officer, year, opened, villages
):
    taken = handed_out(officer, year)
    taken["行政村"][0]["户籍人口（人）"] = "1000"
    batch_id = checked(officer, year, both(taken))
    with transaction(officer, read_only=True) as connection:
        assert csv_batches.get_batch(connection, batch_id).judged_at is not None
    save(officer, opened[0], households=350)
    csv_apply.write(officer, batch_id, quietly)  # compares anew instead
    with transaction(officer, read_only=True) as connection:
        assert csv_batches.get_batch(connection, batch_id).judged_at is None
    told: list[str] = []
    csv_rules.judge(officer, batch_id, lambda done, total, text: told.append(f"{done}/{total}"))
    assert told == ["0/1", "1/1"]
    assert "合计 1050 人" in rows_of(officer, batch_id)[0].problem
    csv_apply.write(officer, batch_id, quietly)
    csv_rules.judge(officer, batch_id, quietly)  # nothing is open any more
    assert state_of(officer, batch_id) is CsvState.APPLIED


def test_a_report_opened_between_comparison_and_writing_is_written_too(
    bureau, officer, year, villages
):
    lines = [{"行政村代码": code, "户籍人口": "1200"} for code in villages[:2]]
    batch_id = checked(bureau, year, as_csv(lines))
    opened = open_village(officer, year, villages[0])
    csv_apply.write(bureau, batch_id, quietly)
    assert state_of(bureau, batch_id) is CsvState.APPLIED
    for submission in (opened, open_village(officer, year, villages[1])):
        assert content_of(officer, submission)["form"]["hukou_pop"] == 1200


def test_whoever_saves_waits_for_nothing_while_a_file_is_made_ready(
    owner, officer, year, opened, villages
):
    taken = handed_out(officer, year)
    taken["行政村"][0]["户籍人口（人）"] = "1250"
    batch_id = checked(officer, year, both(taken))
    locked = []

    def look(done: int, total: int, message: str) -> None:
        locked.append(
            owner.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
                " WHERE relname = 'submission_draft' AND mode LIKE 'Row%'"
            ).fetchone()[0]
        )

    csv_apply.write(officer, batch_id, look)
    assert locked == [0, 0, 0]
    assert content_of(officer, opened[0])["form"]["hukou_pop"] == 1250
