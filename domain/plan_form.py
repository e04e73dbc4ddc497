"""Form A, plan-preparation progress: the rules that span its rows.

What concerns one field of one row stands in the form's description. Here: dates that run along the
stages, stages left out, plans nobody planned, lateness nobody explained, files used twice.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from domain.form_values import normal_value
from domain.forms import (
    Content,
    Context,
    Form,
    Problem,
    ProblemKind,
    Row,
    Severity,
    label_of,
    path_of,
    rows_of,
)
from domain.progress import Disposition, MilestoneState

_DONE = (MilestoneState.COMPLETED, MilestoneState.SKIPPED)


@dataclass(frozen=True, slots=True)
class _Stage:
    """One milestone as typed: its dates, or None where they are missing or not understood."""

    row: Row
    state: str | None
    planned_on: date | None
    replanned_on: date | None
    completed_on: date | None
    late_reason: object
    evidence: Mapping[str, object]

    @property
    def due_on(self) -> date | None:
        return self.replanned_on or self.planned_on

    @property
    def is_completed(self) -> bool:
        return self.state == MilestoneState.COMPLETED


def problems(form: Form, content: Content, context: Context) -> list[Problem]:
    """Return what is wrong or doubtful between the rows of the content."""
    asks = _Asker(form, context)
    found: list[Problem] = []
    for plan, stages in _stages_by_plan(form, content, context):
        found += asks.order(stages)
        found += asks.gaps(stages)
        found += asks.plan_dates(stages)
        found += asks.unplanned(plan, stages)
        found += asks.late(stages)
    found += asks.files_used_twice(_stages_by_plan(form, content, context))
    return found


def _stages_by_plan(
    form: Form, content: Content, context: Context
) -> Iterator[tuple[Row, list[_Stage]]]:
    """Yield each plan of the unit's own with its stages in order; a merged plan has none."""
    dispositions = {key: row.get("disposition") for key, row in rows_of(content, "plan")}
    typed = dict(rows_of(content, "milestone"))
    for plan in context.rows.get("plan", ()):
        if dispositions.get(plan.key) == Disposition.MERGED:
            continue
        rows = [r for r in context.rows.get("milestone", ()) if r.parent == ("plan", plan.key)]
        yield plan, [_stage(form, row, typed[row.key]) for row in rows if row.key in typed]


def _stage(form: Form, row: Row, values: Mapping[str, object]) -> _Stage:
    state = _normal(form, "state", values)
    evidence = values.get("evidence")
    return _Stage(
        row=row,
        state=str(state) if state is not None else None,
        planned_on=_date(form, "planned_on", values),
        replanned_on=_date(form, "replanned_on", values),
        completed_on=_date(form, "completed_on", values),
        late_reason=_normal(form, "late_reason", values),
        evidence=evidence if isinstance(evidence, dict) else {},
    )


def _normal(form: Form, code: str, values: Mapping[str, object]) -> object:
    item = form.find_field("milestone", code)
    return normal_value(form, item, values.get(code)) if item else None


def _date(form: Form, code: str, values: Mapping[str, object]) -> date | None:
    try:
        return date.fromisoformat(str(_normal(form, code, values)))
    except ValueError:
        return None


class _Asker:
    def __init__(self, form: Form, context: Context) -> None:
        self._form, self._context = form, context

    def order(self, stages: Sequence[_Stage]) -> Iterator[Problem]:
        """Completion dates do not run backwards along the stages."""
        latest: _Stage | None = None
        for stage in stages:
            if not stage.is_completed or stage.completed_on is None:
                continue
            if latest and latest.completed_on and stage.completed_on < latest.completed_on:
                message = (
                    f"实际完成日期 {stage.completed_on} 早于前面阶段“{latest.row.label}”的"
                    f"完成日期 {latest.completed_on}，请核对两处日期。"
                )
                yield self._problem(stage, "completed_on", message)
            else:
                latest = stage

    def gaps(self, stages: Sequence[_Stage]) -> Iterator[Problem]:
        """Before a completed stage every stage is completed, or skipped with a reason."""
        last = max((i for i, stage in enumerate(stages) if stage.is_completed), default=-1)
        for stage in stages[: max(last, 0)]:
            if stage.state not in _DONE:
                message = (
                    f"后面的阶段“{stages[last].row.label}”已完成，"
                    "本阶段应为“已完成”；确实不经过的，请选“跳过”并说明理由。"
                )
                yield self._problem(stage, "state", message)

    def plan_dates(self, stages: Sequence[_Stage]) -> Iterator[Problem]:
        """Planned dates do not run backwards either; an accepted baseline only warns."""
        earlier: _Stage | None = None
        for stage in stages:
            if stage.due_on is None or stage.state == MilestoneState.SKIPPED:
                continue
            if earlier and earlier.due_on and stage.due_on < earlier.due_on:
                code = "replanned_on" if stage.replanned_on else "planned_on"
                message = (
                    f"计划日期 {stage.due_on} 早于前面阶段“{earlier.row.label}”的"
                    f"计划日期 {earlier.due_on}。"
                )
                fixed = code in stage.row.locked or stage.state in _DONE
                severity = Severity.HINT if fixed else Severity.ERROR
                yield self._problem(stage, code, message, severity)
            else:
                earlier = stage

    def unplanned(self, plan: Row, stages: Sequence[_Stage]) -> Iterator[Problem]:
        """A plan without planned dates is 未定计划 and listed as such."""
        open_stages = [stage for stage in stages if stage.state not in _DONE]
        missing = [stage for stage in open_stages if stage.planned_on is None]
        if not missing:
            return
        if len(missing) == len(open_stages) and all(s.planned_on is None for s in stages):
            message = f"“{plan.label}”未填计划完成日期，将列为“未定计划”。"
        else:
            names = "、".join(stage.row.label for stage in missing)
            message = f"还有 {len(missing)} 个阶段未填计划完成日期：{names}。"
        yield self._problem(missing[0], "planned_on", message, Severity.HINT)

    def late(self, stages: Sequence[_Stage]) -> Iterator[Problem]:
        """A late stage explains itself; lateness is counted from the baseline."""
        for stage in stages:
            if stage.planned_on is None or stage.state == MilestoneState.SKIPPED:
                continue
            until = stage.completed_on if stage.is_completed else self._context.today
            days = (until - stage.planned_on).days if until else 0
            if days > 0 and stage.late_reason is None:
                message = f"比计划完成日期 {stage.planned_on} 已晚 {days} 天，请填写滞后原因。"
                yield self._problem(
                    stage, "late_reason", message, Severity.HINT, ProblemKind.MISSING
                )

    def files_used_twice(self, plans: Iterator[tuple[Row, list[_Stage]]]) -> Iterator[Problem]:
        """The same file under two items is said, not refused: a file may hold both."""
        uses: dict[str, list[tuple[_Stage, str]]] = defaultdict(list)
        for _, stages in plans:
            for stage in stages:
                digests = {file.file_id: file.sha256 for file in stage.row.files}
                for item, number in stage.evidence.items():
                    digest = digests.get(number) if isinstance(number, int) else None
                    if digest:
                        uses[digest].append((stage, item))
        for places in uses.values():
            first, *others = places
            for stage, item in others:
                message = f"“{item}”与“{first[0].row.label}”的“{first[1]}”是同一个文件，请确认。"
                yield self._problem(stage, "evidence", message, Severity.HINT)

    def _problem(
        self,
        stage: _Stage,
        code: str,
        message: str,
        severity: Severity = Severity.ERROR,
        kind: ProblemKind = ProblemKind.RULE,
    ) -> Problem:
        path = path_of("milestone", stage.row.key, code)
        return Problem(path, label_of(self._form, path, self._context), message, severity, kind)
