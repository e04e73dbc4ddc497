"""The review of villages by township: the sample, what it stands before, what stands out."""

from collections import Counter
from decimal import Decimal

import pytest
from sqlalchemy import text

from data_access import bulk_review, decisions, review_queue, review_sample, township_review
from data_access.database import transaction
from domain.access import Role
from domain.errors import (
    InvalidAction,
    NotFound,
    NotPermitted,
    RuleViolation,
    SampleNotDrawn,
    SampleNotSeen,
)
from domain.review_filter import ODD, SAMPLED, UNSEEN, QueueFilter
from domain.sampling import SampleRule, shuffled
from domain.workflow import ReviewAction, SubmissionState
from tests.actors import CITY, COUNTY, make_actor
from tests.paths import ROOT
from tests.township import accepted_last_year, sampling_period, villages_waiting
from tests.villages import villages_of

APPROVE, RETURN = ReviewAction.APPROVE, ReviewAction.RETURN
YEAR = 2026


@pytest.fixture
def period(owner) -> int:
    return sampling_period(owner, YEAR)


@pytest.fixture
def filer(owner):
    return make_actor(owner, "filer", Role.COUNTY, COUNTY)


@pytest.fixture
def township(owner) -> list[str]:
    """The villages of the county's largest township."""
    codes = villages_of(owner, COUNTY)
    (largest, _), *_ = Counter(code[:9] for code in codes).most_common(1)
    return [code for code in codes if code.startswith(largest)]


@pytest.fixture
def waiting(owner, period, filer, county, township) -> dict[str, int]:
    """The township's villages by code, waiting for the county."""
    return villages_waiting(owner, period, filer.user_id, township)


def desk_of(actor, period):
    with transaction(actor, read_only=True) as connection:
        return township_review.read_desk(connection, actor, period)


def draw(actor, period, prefix, seed=7):
    with transaction(actor, action="sample.draw") as connection:
        desk = township_review.read_desk(connection, actor, period)
        return review_sample.draw(connection, actor, desk, prefix, seed=seed)


def sampled(actor, period, prefix):
    with transaction(actor, read_only=True) as connection:
        desk = township_review.read_desk(connection, actor, period)
        return review_sample.list_sampled(connection, actor, desk, prefix)


def look(actor, submission_id, version=1):
    with transaction(actor, action="sample.look") as connection:
        return review_sample.note_look(connection, actor, submission_id, version)


def accept(actor, owner, ids):
    query = "SELECT submission_id, lock_version FROM submission WHERE submission_id = ANY (%s)"
    seen = dict(owner.execute(query, [list(ids)]).fetchall())
    with transaction(actor, action="review.bulk") as connection:
        return bulk_review.decide(connection, actor, APPROVE, "", seen)


def decide(actor, submission_id, action, comment=""):
    with transaction(actor, action=f"submission.{action}") as connection:
        lock = connection.scalar(
            text("SELECT lock_version FROM submission WHERE submission_id = :id"),
            {"id": submission_id},
        )
        decisions.review(connection, actor, submission_id, lock, action, comment)


def test_nothing_is_accepted_in_bulk_before_its_sample_was_drawn_and_opened(
    owner, county, period, township, waiting
):
    with pytest.raises(SampleNotDrawn) as refused:
        accept(county, owner, waiting.values())
    assert refused.value.details["count"] == len(waiting)
    assert draw(county, period, COUNTY) == 1
    drawn = sampled(county, period, township[0][:9])
    assert len(drawn) == max(2, -(-len(waiting) // 10))
    expected = shuffled(township, 7)[: len(drawn)]
    assert {each.division_code for each in drawn} == set(expected)
    for each in drawn:
        with pytest.raises(SampleNotSeen) as refused:
            accept(county, owner, waiting.values())
        assert each.name in refused.value.details["villages"]
        assert look(county, each.submission_id)
    assert accept(county, owner, waiting.values()).pending == len(waiting)


def test_the_database_itself_takes_no_acceptance_of_an_unseen_sample(
    owner, county, period, waiting
):
    draw(county, period, COUNTY)
    number = min(waiting.values())

    def take(connection):
        bulk = connection.execute(
            text(
                "INSERT INTO bulk_decision (user_id, action, chosen, effect_at)"
                " VALUES (:user_id, 'approve', 1, now()) RETURNING bulk_decision_id"
            ),
            {"user_id": county.user_id},
        ).scalar_one()
        connection.execute(
            text(
                "INSERT INTO bulk_decision_item (bulk_decision_id, submission_id, division_code"
                ", lock_version, user_id, role, state)"
                " SELECT :bulk, submission_id, division_code, lock_version, :user_id, 'county'"
                ", 'pending' FROM submission WHERE submission_id = :number"
            ),
            {"bulk": bulk, "user_id": county.user_id, "number": number},
        )

    with pytest.raises(RuleViolation) as refused, transaction(county) as connection:
        take(connection)
    assert refused.value.details["constraint"] == "bulk_decision_item_sample_seen"


def test_returning_in_bulk_needs_no_sample(owner, county, period, waiting):
    seen = dict.fromkeys(waiting.values(), 2)
    with transaction(county, action="review.bulk") as connection:
        bulk = bulk_review.decide(connection, county, RETURN, "请补充说明。", seen)
    assert bulk.pending == len(waiting)


def test_a_colleagues_look_is_not_ones_own(owner, county, period, waiting):
    colleague = make_actor(owner, "colleague", Role.COUNTY, COUNTY)
    draw(county, period, COUNTY)
    for each in sampled(county, period, COUNTY):
        look(colleague, each.submission_id)
    with pytest.raises(SampleNotSeen):
        accept(county, owner, waiting.values())
    assert accept(colleague, owner, waiting.values()).pending == len(waiting)


def test_a_sampled_village_that_was_judged_alone_is_looked_at(owner, county, period, waiting):
    draw(county, period, COUNTY)
    first, *others = sampled(county, period, COUNTY)
    decide(county, first.submission_id, RETURN, "户籍人口请核对。")
    for each in others:
        look(county, each.submission_id)
    still = set(waiting.values()) - {first.submission_id}
    assert accept(county, owner, still).pending == len(still)
    now = sampled(county, period, COUNTY)
    assert [each.state for each in now].count(SubmissionState.RETURNED) == 1
    assert len(now) == len(others) + 1


def test_what_comes_later_is_drawn_among_itself(owner, county, period, filer, township):
    early, late = township[:-2], township[-2:]
    before = villages_waiting(owner, period, filer.user_id, early)
    draw(county, period, COUNTY)
    for each in sampled(county, period, COUNTY):
        look(county, each.submission_id)
    after = villages_waiting(owner, period, filer.user_id, late)
    with pytest.raises(SampleNotDrawn):
        accept(county, owner, [*before.values(), *after.values()])
    assert draw(county, period, COUNTY, seed=8) == 1
    news = [each for each in sampled(county, period, COUNTY) if each.division_code in late]
    assert len(news) == 1
    assert accept(county, owner, before.values()).pending == len(before)


def test_a_draw_is_made_once_and_again_only_with_a_reason(owner, county, period, township, waiting):
    assert draw(county, period, COUNTY) == 1
    assert draw(county, period, COUNTY, seed=9) == 0
    desk, town = desk_of(county, period), township[0][:9]
    with pytest.raises(RuleViolation), transaction(county) as connection:
        review_sample.redraw(connection, county, desk, town, " ")
    with transaction(county, action="sample.redraw") as connection:
        review_sample.redraw(connection, county, desk, town, "抽样村均为同一片区", seed=9)
    with transaction(county, read_only=True) as connection:
        draws = review_sample.list_draws(connection, desk, town)
    assert [(each.draw_no, each.seed, each.is_redraw) for each in draws] == [
        (1, 7, False), (2, 9, True)
    ]  # fmt: skip
    assert draws[0].replaced_at is not None
    assert draws[1].reason == "抽样村均为同一片区"
    assert draws[1].villages == len(township)
    standing = {each.division_code for each in sampled(county, period, COUNTY)}
    assert standing == set(shuffled(township, 9)[: draws[1].sampled])
    trail = owner.execute("SELECT count(*) FROM row_change WHERE action = 'sample.redraw'")
    assert trail.fetchone()[0] >= 1 + len(township)


def test_who_files_does_not_learn_what_is_drawn(owner, county, period, township, waiting):
    draw(county, period, COUNTY)
    officer = make_actor(owner, "officer", Role.TOWNSHIP, township[0][:9])
    with transaction(officer, read_only=True) as connection:
        for table in ("review_sample", "review_sample_village", "review_sample_look"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
        with pytest.raises(NotPermitted):
            township_review.read_desk(connection, officer, period)


def test_another_county_is_not_there(owner, county, period, waiting):
    draw(county, period, COUNTY)
    stranger = make_actor(owner, "stranger", Role.COUNTY, "360124")
    with transaction(stranger, read_only=True) as connection:
        desk = township_review.read_desk(connection, stranger, period)
        with pytest.raises(NotFound):
            township_review.find_place(connection, desk, COUNTY)
        assert not review_sample.list_sampled(connection, stranger, desk, COUNTY)
    assert not look(stranger, min(waiting.values()))


def test_only_the_sample_in_the_version_that_waits_is_looked_at(owner, county, period, waiting):
    draw(county, period, COUNTY)
    drawn = {each.submission_id for each in sampled(county, period, COUNTY)}
    other = min(set(waiting.values()) - drawn)
    assert not look(county, other)
    assert not look(county, min(drawn), version=2)
    assert look(county, min(drawn))
    assert not look(county, min(drawn))


def test_the_parts_of_an_area_add_up(owner, county, period, township, waiting):
    draw(county, period, COUNTY)
    first = sampled(county, period, COUNTY)[0]
    look(county, first.submission_id)
    with transaction(county, read_only=True) as connection:
        desk = township_review.read_desk(connection, county, period)
        place = township_review.find_place(connection, desk, COUNTY)
        odd = township_review.list_odd(connection, period, COUNTY)
        areas = township_review.list_areas(connection, county, desk, place, odd)
        whole = township_review.summed(place, areas)
        above = township_review.list_above(connection, desk, township[0][:9])
    assert sum(area.villages for area in areas) == len(villages_of(owner, COUNTY))
    mine = next(area for area in areas if area.prefix == township[0][:9])
    assert (mine.waiting, mine.filed, mine.undrawn, mine.looked) == (len(township),) * 2 + (0, 1)
    assert (whole.waiting, whole.sampled) == (mine.waiting, mine.sampled)
    assert [each.level for each in above] == ["county", "township"]
    assert [area.waiting > 0 for area in areas] == sorted(
        (area.waiting > 0 for area in areas), reverse=True
    )


def test_the_city_sees_its_counties_and_draws_for_itself(owner, city, period, filer, township):
    villages_waiting(owner, period, filer.user_id, township, step_no=2)
    with transaction(city, read_only=True) as connection:
        desk = township_review.read_desk(connection, city, period)
        place = township_review.find_place(connection, desk, CITY[:4])
        areas = township_review.list_areas(connection, city, desk, place, [])
    assert desk.step.step_no == 2
    assert {area.prefix: area.waiting for area in areas}[COUNTY] == len(township)
    assert draw(city, period, CITY[:4]) == 1


def test_a_city_draws_in_each_county_and_its_redraw_replaces_what_townships_had(
    owner, city, period, filer
):
    codes = villages_of(owner, COUNTY)
    waiting = villages_waiting(owner, period, filer.user_id, codes, step_no=2)
    assert len({code[:9] for code in codes}) > 1
    desk = desk_of(city, period)
    assert draw(city, period, CITY[:4], seed=7) == 1
    with transaction(city, read_only=True) as connection:
        (drawn,) = review_sample.list_draws(connection, desk, COUNTY)
    assert (drawn.villages, drawn.sampled) == (len(waiting), max(2, -(-len(waiting) // 10)))
    # As it was drawn before: by township.
    owner.execute("UPDATE review_sample SET division_code = %s", [codes[0][:9]])
    with transaction(city, action="sample.redraw") as connection:
        review_sample.redraw(connection, city, desk, COUNTY, "改按县抽样")
    with transaction(city, read_only=True) as connection:
        before, now = sorted(
            review_sample.list_draws(connection, desk, COUNTY), key=lambda one: one.is_redraw
        )
    assert before.replaced_at is not None
    assert (now.villages, now.replaced_at) == (len(waiting), None)


def test_the_queue_shows_the_sample_and_what_stands_out(owner, county, period, filer, township):
    waiting = villages_waiting(
        owner, period, filer.user_id, dict.fromkeys(township, 1000) | {township[0]: 9000}
    )
    draw(county, period, COUNTY)
    first, *_ = drawn = sampled(county, period, COUNTY)
    look(county, first.submission_id)

    def shown(only):
        asked = QueueFilter("village_evaluation", period, COUNTY, 1, only=only)
        with transaction(county, read_only=True) as connection:
            return set(review_queue.list_seen(connection, county, asked))

    assert shown(SAMPLED) == {each.submission_id for each in drawn}
    assert shown(UNSEEN) == shown(SAMPLED) - {first.submission_id}
    assert shown("") == set(waiting.values())
    # One value for all the others: there is no width to measure by.
    assert shown(ODD) == set()


def outliers(actor, period, prefix, ids):
    with transaction(actor, read_only=True) as connection:
        return township_review.list_outliers(connection, period, prefix, list(ids))


def test_what_stands_out_in_its_township(owner, county, period, filer, township):
    people = {code: 1000 + 10 * number for number, code in enumerate(township)}
    odd, missing, zero = township[0], township[1], township[2]
    people |= {odd: 9000, missing: None, zero: 0}
    ids = villages_waiting(owner, period, filer.user_id, people)
    found = outliers(county, period, COUNTY, ids.values())
    kinds = {code: [each.kind for each in found.get(ids[code], [])] for code in township}
    assert kinds[odd] == ["high"]
    assert kinds[zero] == ["low"]
    assert kinds[missing] == []
    assert sum(map(len, kinds.values())) == 2
    fence = found[ids[odd]][0]
    assert (fence.amount, fence.area) == (9000, odd[:9])
    assert fence.reference < 2000
    assert fence.villages == len(township) - 1


def test_few_villages_are_measured_by_their_county(owner, county, period, filer):
    codes = villages_of(owner, COUNTY)
    small = next(
        [code for code in codes if code.startswith(town)]
        for town, size in Counter(code[:9] for code in codes).items()
        if size < 8
    )
    others = [code for code in codes if code not in small][:30]
    people = {code: 1000 + 10 * number for number, code in enumerate(others)}
    ids = villages_waiting(owner, period, filer.user_id, people | {small[0]: 9000})
    (found,) = outliers(county, period, small[0][:9], ids.values())[ids[small[0]]]
    assert (found.kind, found.area, found.villages) == ("high", COUNTY, 31)


def test_what_changed_since_last_year(owner, county, period, filer, township):
    a, b, c, d = township[:4]
    ids = villages_waiting(owner, period, filer.user_id, {a: 1620, b: 1499, c: 1000, d: None})
    accepted_last_year(owner, period, YEAR - 1, {a: 1000, b: 1000, c: 0, d: 1000})
    found = outliers(county, period, COUNTY, ids.values())
    assert {number: [(each.kind, each.amount, each.reference) for each in some]
            for number, some in found.items()} == {
        ids[a]: [("change", Decimal(1620), Decimal(1000))]
    }  # fmt: skip


def test_fields_and_limits_are_settings(owner, county, period, filer, township):
    ids = villages_waiting(owner, period, filer.user_id, {township[0]: 1620})
    accepted_last_year(owner, period, YEAR - 1, {township[0]: 1000})
    change = "UPDATE portal_setting SET value = %s::jsonb WHERE name = %s"
    owner.execute(change, ['["no_such_field", "remark", "hukou_pop"]', "village_outlier_fields"])
    assert outliers(county, period, COUNTY, ids.values())
    owner.execute(change, ['["construction_area"]', "village_outlier_fields"])
    assert not outliers(county, period, COUNTY, ids.values())
    owner.execute(change, ["[]", "village_outlier_fields"])
    assert not outliers(county, period, COUNTY, ids.values())


def after_upgrade(owner) -> SampleRule | None:
    """Run what the migration does to periods that were open before it; return the rule."""
    text = (ROOT / "data_access/migrations/0049_village_defaults.sql").read_text("utf-8")
    owner.execute(text[text.index("UPDATE reporting_period") :])
    row = owner.execute(
        "SELECT sample_percent, sample_least, sample_is_assumed FROM reporting_period"
    ).fetchone()
    return SampleRule(*row) if row[0] else None


def test_a_period_of_before_the_samples_has_the_usual_one_until_the_bureau_sets_it(
    owner, county, bureau, period, waiting
):
    owner.execute("UPDATE reporting_period SET sample_percent = NULL, sample_least = NULL")
    assert after_upgrade(owner) == SampleRule(5, 2, is_assumed=True)
    assert desk_of(county, period).rule == SampleRule(5, 2, is_assumed=True)
    with pytest.raises(SampleNotDrawn):
        accept(county, owner, waiting.values())
    with transaction(bureau, action="reporting_period.sample") as connection:
        township_review.set_rule(connection, bureau, period, SampleRule(5, 2))
        assert township_review.find_rule(connection, period) == SampleRule(5, 2)


def test_an_upgrade_leaves_alone_what_the_bureau_decided(owner, bureau, period):
    with transaction(bureau, action="reporting_period.sample") as connection:
        township_review.set_rule(connection, bureau, period, None)
    assert after_upgrade(owner) is None


def test_a_period_without_a_rule_asks_for_no_sample(owner, county, bureau, period, waiting):
    with transaction(bureau, action="reporting_period.sample") as connection:
        township_review.set_rule(connection, bureau, period, None)
    with pytest.raises(InvalidAction):
        draw(county, period, COUNTY)
    assert accept(county, owner, waiting.values()).pending == len(waiting)
    with pytest.raises(RuleViolation), transaction(bureau) as connection:
        township_review.set_rule(connection, bureau, period, SampleRule(0, 2))
    with pytest.raises(NotPermitted), transaction(county) as connection:
        township_review.set_rule(connection, county, period, SampleRule(5, 2))
