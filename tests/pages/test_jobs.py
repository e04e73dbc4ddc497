"""The list of background jobs, as the information centre meets it."""

import pytest

from data_access import jobs
from data_access.database import transaction
from domain.access import Role
from domain.jobs import JobKind, JobState
from tests.actors import PROVINCE, make_actor


@pytest.fixture
def centre(owner):
    return make_actor(owner, "centre", Role.INFORMATION_CENTRE, PROVINCE)


@pytest.fixture
def job_of(owner):
    """Put a job into the queue in any state."""

    def make(state, kind=JobKind.DELIVER_EVENTS, **progress):
        with transaction(None) as connection:
            job_id = jobs.defer(connection, kind)
        owner.execute(
            "UPDATE job_queue.procrastinate_jobs SET status = %s WHERE id = %s", [state, job_id]
        )
        for column, value in progress.items():
            owner.execute(
                f"UPDATE job_progress SET {column} = %s WHERE job_id = %s",
                [value, job_id],
            )
        return job_id

    return make


def texts(page):
    return " ".join(one.value for one in [*page.markdown, *page.caption])


def test_list_without_jobs_says_what_will_be_there(open_page, centre):
    assert "没有后台任务" in open_page(centre, "jobs").info[0].value


def test_running_job_says_how_far_it_came(open_page, centre, job_of):
    job_id = job_of("doing", done=3, total=12, message="逐县核对")
    page = open_page(centre, "jobs")
    assert not page.exception
    assert "1 项进行中" in page.markdown[0].value
    assert "对外事件投递" in texts(page)
    assert page.button(key=f"jobs-act-{job_id}").label == "取消"


def test_failed_job_says_why_and_is_tried_again(owner, open_page, centre, job_of):
    job_id = job_of("failed", error='{"type": "NotFound", "details": {}, "fault": "ab12cd34"}')
    page = open_page(centre, "jobs")
    assert "记录不存在" in texts(page)
    assert "ab12cd34" in texts(page)
    page.button(key=f"jobs-act-{job_id}").click().run()
    with transaction(None, read_only=True) as connection:
        assert jobs.get(connection, job_id).state is JobState.WAITING


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ('{"type": "MemoryError", "fault": "1"}', "内存超过上限"),
        ('{"type": "ZeroDivisionError", "fault": "1"}', "程序故障"),
        ('{"fault": "1"}', "多次中断"),
    ],
)
def test_every_failure_has_its_sentence(open_page, centre, job_of, error, words):
    job_of("failed", error=error)
    assert words in texts(open_page(centre, "jobs"))


def test_job_that_ended_meanwhile_is_not_cancelled(owner, open_page, centre, job_of):
    job_id = job_of("doing")
    page = open_page(centre, "jobs")
    owner.execute(
        "UPDATE job_queue.procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [job_id]
    )
    page.button(key=f"jobs-act-{job_id}").click().run()
    assert "当前状态下不能执行此操作" in page.error[0].value


def test_others_have_no_business_here(open_page, county, job_of):
    job_of("doing")
    page = open_page(county, "jobs")
    assert "无权访问" in page.error[0].value
    assert not [button for button in page.button if (button.key or "").startswith("jobs-")]
