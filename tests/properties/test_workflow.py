"""What holds for the workflow whatever people try."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.access import Actor, Grant, Role
from domain.errors import PortalError
from domain.workflow import (
    Position,
    ReviewAction,
    SubmissionState,
    Unit,
    Workflow,
    WorkflowStep,
    open_moves,
    take,
)

COUNTY = Unit("360123", "county", "360123")
CITY = Unit("360100", "city", "3601")
PLAN_PROGRESS = Workflow(
    "plan_progress",
    1,
    (Role.CITY, Role.COUNTY),
    (
        WorkflowStep(1, "设区市初审", Role.CITY, "city", ("city",)),
        WorkflowStep(2, "省级审核", Role.PLAN_BUREAU, "province"),
    ),
)
SIX_STEPS = replace(
    PLAN_PROGRESS,
    steps=tuple(
        WorkflowStep(number, f"第 {number} 步", role, level)
        for number, (role, level) in enumerate(
            [
                (Role.TOWNSHIP, "township"),
                (Role.CITY, "city"),
                (Role.TECHNICAL_REVIEWER, "province"),
                (Role.USE_CONTROL, "province"),
                (Role.DEPARTMENT, "province"),
                (Role.PLAN_BUREAU, "province"),
            ],
            start=1,
        )
    ),
)
BY_CHANGE = replace(PLAN_PROGRESS, form_code="compile_unit", by_change=True)
PEOPLE = [
    Actor(number, f"{role}", (Grant(role, code, prefix),))
    for number, (role, code, prefix) in enumerate(
        [
            (role, code, prefix)
            for role in Role
            for code, prefix in (("360123", "360123"), ("360100", "3601"), ("360000", "36"))
        ],
        start=1,
    )
]
STRANGERS = [
    Actor(100 + number, f"{role}", (Grant(role, code, prefix),))
    for number, (role, code, prefix) in enumerate(
        [(Role.COUNTY, "360124", "360124"), (Role.CITY, "360200", "3602")]
    )
]
ATTEMPTS = st.lists(
    st.tuples(st.sampled_from(ReviewAction), st.sampled_from(PEOPLE + STRANGERS)), max_size=60
)


def play(workflow: Workflow, unit: Unit, attempts):
    """Yield (position before, move, actor, filer) for each attempt that was allowed."""
    position, filer_id = Position(SubmissionState.DRAFT), None
    for action, actor in attempts:
        try:
            move = take(workflow, unit, position, action, actor, filer_id)
        except PortalError:
            continue
        filer_id = actor.user_id if action is ReviewAction.SUBMIT else filer_id
        yield position, move, actor, filer_id
        position = move.target


@given(
    ATTEMPTS,
    st.sampled_from([PLAN_PROGRESS, SIX_STEPS, BY_CHANGE]),
    st.sampled_from([COUNTY, CITY]),
)
def test_filed_only_after_each_steps_own_reviewer_approved_it(attempts, workflow, unit):
    approved: list[int] = []
    for position, move, actor, filer_id in play(workflow, unit, attempts):
        if move.action is ReviewAction.APPROVE:
            step = workflow.step(position.step_no)
            assert actor.may_act_as(step.role, unit.prefix)
            assert actor.user_id != filer_id
            approved.append(step.step_no)
        else:
            approved = []
        if move.action is ReviewAction.ABANDON:
            assert position.is_change
        elif move.target.state is SubmissionState.FILED:
            assert approved == [step.step_no for step in workflow.steps_for(unit.level)]


@given(ATTEMPTS, st.sampled_from([COUNTY, CITY]))
def test_nobody_outside_the_unit_files_or_decides(attempts, unit):
    for _, _, actor, _ in play(PLAN_PROGRESS, unit, attempts):
        assert actor not in STRANGERS


@given(ATTEMPTS, st.sampled_from([PLAN_PROGRESS, BY_CHANGE]))
def test_open_moves_are_exactly_the_moves_that_can_be_taken(attempts, workflow):
    for position, _, actor, filer_id in play(workflow, COUNTY, attempts):
        offered = {m.action for m in open_moves(workflow, COUNTY, position, actor, filer_id)}
        taken = set()
        for action in ReviewAction:
            try:
                take(workflow, COUNTY, position, action, actor, filer_id)
            except PortalError:
                continue
            taken.add(action)
        assert offered == taken


@given(ATTEMPTS, st.sampled_from([PLAN_PROGRESS, BY_CHANGE]), st.sampled_from([COUNTY, CITY]))
def test_what_was_filed_opens_again_for_its_filer_alone_in_a_round_of_its_own(
    attempts, workflow, unit
):
    """Whatever people try, filed stays filed but where the form is filed by change."""
    filer = next(
        a
        for a in PEOPLE
        if a.grants[0].division_code == unit.code and a.has_role(Role.CITY, Role.COUNTY)
    )
    straight = [(ReviewAction.SUBMIT, filer)] + [
        (ReviewAction.APPROVE, who) for _ in workflow.steps for who in PEOPLE
    ]
    was_filed = False
    for position, move, actor, _ in play(workflow, unit, [*straight, *attempts]):
        if position.state is SubmissionState.FILED:
            was_filed = True
            assert workflow.by_change
            assert (move.action, move.new_round) == (ReviewAction.REOPEN, True)
            assert move.target == Position(SubmissionState.DRAFT, is_change=True)
            assert actor.grants[0].division_code == unit.code
        else:
            assert move.action is not ReviewAction.REOPEN
        was_filed = was_filed or move.target.state is SubmissionState.FILED
    assert was_filed


@given(ATTEMPTS, st.sampled_from([PLAN_PROGRESS, BY_CHANGE]))
def test_a_change_is_given_up_by_its_filer_alone_and_only_after_something_was_filed(
    attempts, workflow
):
    filer = next(a for a in PEOPLE if a.grants[0] == Grant(Role.COUNTY, "360123", "360123"))
    straight = [(ReviewAction.SUBMIT, filer)] + [
        (ReviewAction.APPROVE, who) for _ in workflow.steps for who in PEOPLE
    ]
    opened = [(ReviewAction.REOPEN, filer), *attempts, (ReviewAction.ABANDON, filer)]
    was_filed = False
    for position, move, actor, _ in play(workflow, COUNTY, [*attempts, *straight, *opened]):
        assert position.is_change == (was_filed and position.state is not SubmissionState.FILED)
        if move.action is ReviewAction.ABANDON:
            assert was_filed
            assert workflow.by_change
            assert actor.grants[0].division_code == COUNTY.code
            assert move.target == Position(SubmissionState.FILED)
            assert not move.new_round
        was_filed = was_filed or move.target.state is SubmissionState.FILED


def test_six_steps_run_from_draft_to_filed():
    by_role = {actor.grants[0].role: actor for actor in PEOPLE if actor.grants[0].prefix == "3601"}
    county = next(a for a in PEOPLE if a.grants[0] == Grant(Role.COUNTY, "360123", "360123"))
    attempts = [(ReviewAction.SUBMIT, county)] + [
        (ReviewAction.APPROVE, by_role[step.role]) for step in SIX_STEPS.steps
    ]
    *_, (_, last, _, _) = play(SIX_STEPS, COUNTY, attempts)
    assert last.target.state is SubmissionState.FILED


def test_a_citys_own_report_goes_straight_to_the_province():
    city = next(a for a in PEOPLE if a.grants[0] == Grant(Role.CITY, "360100", "3601"))
    [(_, move, _, _)] = play(PLAN_PROGRESS, CITY, [(ReviewAction.SUBMIT, city)])
    assert move.target == Position(SubmissionState.SUBMITTED, 2)
