"""What is attached to a village's evaluation: by its officer, for its rows, seen by reviewers."""

import pytest

from data_access import decisions, evidence, filing, reporting, uploads
from data_access.database import transaction
from data_access.forms import forget_forms
from domain.access import Role
from domain.errors import InvalidAction, NotFound, NotPermitted, UploadRefused
from domain.files import FileFault
from domain.village_evaluation import ATTACHMENTS
from domain.workflow import ReviewAction
from tests.actors import CITY, COUNTY, make_actor
from tests.files import pdf, picture
from tests.reports import act
from tests.villages import (
    complete,
    open_village,
    open_village_period,
    pass_all_steps,
    villages_of,
)

PHOTO = ATTACHMENTS[0]
pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def opened(owner, officer, village):
    return open_village(officer, open_village_period(owner, 2026), village)


@pytest.fixture
def last_years(owner, officer, village) -> dict[str, int]:
    """Files of the village and of its first natural village that were accepted last year."""
    report = open_village(officer, open_village_period(owner, 2025), village)
    files = {key: upload(officer, target_of(village, key)) for key in ("", f"{village}001")}
    attach(officer, report.submission_id, files)
    act(officer, report.submission_id, ReviewAction.SUBMIT)
    pass_all_steps(owner, report.submission_id)
    return files


def target_of(village, key="", item=PHOTO):
    group = "natural_village" if key else "form"
    return {
        "form_code": "village_evaluation",
        "division_code": village,
        "group": group,
        "key": key,
        "item": item,
    }


def upload(actor, target, content=None, name="村口.jpg") -> int:
    content = content or picture("JPEG")
    with transaction(actor) as connection:
        number = uploads.begin(
            connection, actor, use="evidence", file_name=name, size=len(content), target=target
        )
    with uploads.receiving(actor, number, 0) as reception:
        reception.append(content)
        return reception.finish()["evidence_id"]


def attach(actor, submission_id, files: dict[str, int]):
    """Fill the draft in with the files by the key of their row, '' the village itself."""
    with transaction(actor) as connection:
        state = filing.read_state(connection, actor, submission_id)
        content = complete(state.content)
        rows = [content["form"] | {"key": ""}, *content["natural_village"]]
        for row in rows:
            if row["key"] in files:
                row["attachments"] = {PHOTO: files[row["key"]]}
        content["form"]["attachments"] = {PHOTO: files[""]} if "" in files else None
        filing.save_checked(
            connection, actor, submission_id, content, state.submission.draft_version
        )
        return filing.read_state(connection, actor, submission_id)


def test_a_village_and_a_natural_village_have_files_that_are_filed(officer, village, opened):
    natural = f"{village}001"
    files = {key: upload(officer, target_of(village, key)) for key in ("", natural)}
    state = attach(officer, opened.submission_id, files)
    assert [problem for problem in state.problems if "attachments" in problem.path] == []
    (own,) = state.context.rows["form"]
    assert [(file.file_id, file.name) for file in own.files] == [(files[""], "村口.jpg")]
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    for number in files.values():
        with pytest.raises(InvalidAction), transaction(officer) as connection:
            evidence.remove(connection, officer, number)


def test_what_is_not_filed_yet_may_be_taken_off(officer, village, opened):
    number = upload(officer, target_of(village))
    with transaction(officer) as connection:
        evidence.remove(connection, officer, number)
        state = filing.read_state(connection, officer, opened.submission_id)
    assert state.context.rows["form"][0].files == ()


def test_a_file_that_belongs_to_another_row_is_a_problem(officer, village, opened):
    other = upload(officer, target_of(village, f"{village}002"))
    state = attach(officer, opened.submission_id, {"": other})
    assert "form.attachments" in {problem.path for problem in state.problems}


@pytest.mark.parametrize(
    "change", [{"key": "360123999999001"}, {"item": "身份证"}, {"division_code": "360123999999"}]
)
def test_files_for_nothing_are_refused(officer, village, opened, change):
    with pytest.raises(NotFound):
        upload(officer, target_of(village, f"{village}001") | change)


def test_size_and_type_are_as_elsewhere(officer, village, opened):
    with pytest.raises(UploadRefused) as refused:
        upload(officer, target_of(village), b"MZ" * 100, "村口.exe")
    assert refused.value.details["reason"] is FileFault.TYPE_NOT_TAKEN
    with pytest.raises(UploadRefused) as refused:
        upload(officer, target_of(village), pdf(), "村口.jpg")
    assert refused.value.details["reason"] is FileFault.CONTENT_DIFFERS


def test_reviewers_see_them_and_strangers_do_not(owner, officer, village, opened):
    number = upload(officer, target_of(village))
    county = make_actor(owner, "of_county", Role.COUNTY, COUNTY)
    city = make_actor(owner, "of_city", Role.CITY, CITY)
    for reader in (county, city):
        with transaction(reader, read_only=True) as connection:
            assert evidence.get(connection, number).file_name == "村口.jpg"
    elsewhere = next(c for c in villages_of(owner, COUNTY) if c[:9] != village[:9])
    stranger = make_actor(owner, "stranger", Role.TOWNSHIP, elsewhere[:9])
    with pytest.raises(NotFound), transaction(stranger, read_only=True) as connection:
        evidence.get(connection, number)
    with pytest.raises((NotFound, NotPermitted)):
        upload(stranger, target_of(village))
    with pytest.raises(NotPermitted):
        upload(city, target_of(village))


def files_in(content) -> dict[str, int]:
    rows = [("", content["form"]), *((row["key"], row) for row in content["natural_village"])]
    return {key: row["attachments"][PHOTO] for key, row in rows if row.get("attachments")}


@pytest.fixture
def demanded(owner, last_years):
    """Let the form demand each file of a natural village that is a centre."""
    owner.execute(
        "UPDATE form_field SET required_when = 'is_center == True'"
        " WHERE form_code = 'village_evaluation' AND group_code = 'natural_village'"
        "   AND field_code = 'attachments'"
    )
    forget_forms()
    yield
    forget_forms()


def test_last_years_files_stand_this_year_without_a_copy(
    owner, officer, village, last_years, opened
):
    with transaction(officer, read_only=True) as connection:
        state = filing.read_state(connection, officer, opened.submission_id)
    assert files_in(state.content) == last_years
    assert files_in(state.accepted) == last_years  # what the page marks 沿用上年
    assert [problem for problem in state.problems if "attachments" in problem.path] == []
    kept = owner.execute("SELECT count(*), count(DISTINCT sha256) FROM evidence").fetchone()
    assert kept == (2, 1)


@pytest.mark.usefixtures("demanded")
def test_what_was_taken_over_counts_where_files_are_demanded(officer, village, opened):
    with transaction(officer) as connection:
        state = filing.read_state(connection, officer, opened.submission_id)
        content = state.content
        for row in content["natural_village"]:
            row["is_center"] = True
        found = filing.save_checked(
            connection, officer, opened.submission_id, content, state.submission.draft_version
        ).problems
    missing = {each.path: each.message for each in found if "attachments" in each.path}
    assert missing == {
        f"natural_village[{village}001].attachments": missing_of("其他"),
        f"natural_village[{village}002].attachments": missing_of("现状照片、其他"),
        f"natural_village[{village}003].attachments": missing_of("现状照片、其他"),
    }


def missing_of(items: str) -> str:
    return f"还缺佐证材料：{items}（每项须有一个可打开的文件）。"


def test_what_was_taken_over_can_be_taken_off_and_last_year_keeps_it(
    owner, officer, village, last_years, opened
):
    attach(officer, opened.submission_id, {"": last_years[""]})
    with transaction(officer) as connection:
        state = filing.read_state(connection, officer, opened.submission_id)
        content = state.content
        for row in content["natural_village"]:
            row["attachments"] = None
        filing.save_checked(
            connection, officer, opened.submission_id, content, state.submission.draft_version
        )
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    filed = owner.execute(
        "SELECT content FROM submission_version ORDER BY submission_id, version_no"
    ).fetchall()
    assert [files_in(content) for (content,) in filed] == [last_years, {"": last_years[""]}]


def test_no_change_files_last_years_files_again(owner, officer, village, last_years, opened):
    attach(officer, opened.submission_id, {})
    with transaction(officer, action="submission.submit") as connection:
        submission = reporting.get_submission(connection, opened.submission_id)
        decisions.submit(
            connection, officer, opened.submission_id, submission.lock_version, no_change=True
        )
        filed = reporting.get_submission(connection, opened.submission_id).filed_content
    assert files_in(filed) == last_years
