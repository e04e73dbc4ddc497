"""What a change of a rule would mean: how much of what is filed now it would hit, before and after.

The rules themselves are asked, of a bounded sample, so that the answer is there while the keeper of
the rules looks at it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.check_rules import CheckRule, Sample, count_hits, groups_of
from domain.clock import BEIJING
from domain.forms import Content, Form

_SQL = load_queries("rule_preview")
SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class Preview:
    """Reports of the newest period that a rule finds something in, in a sample of them."""

    filed: int
    sampled: int
    before: int | None
    """None where a rule asks for facts that no filed report keeps."""
    after: int | None


@dataclass(frozen=True, slots=True)
class _Filed:
    content: Content
    last: Content
    submitted_at: datetime


def preview(
    connection: Connection,
    form: Form,
    current: CheckRule,
    changed: CheckRule,
    others: Sequence[CheckRule],
    most: int = SAMPLE,
) -> Preview:
    """Return how many filed reports the rule finds something in, now and as changed."""
    samples = read_samples(connection, form, (current, changed), others, most)
    filed = connection.scalar(_SQL["count_filed"], {"form_code": form.form_code})
    return Preview(
        filed=int(filed or 0),
        sampled=len(samples),
        before=count_hits(form, current, others, samples),
        after=count_hits(form, changed, others, samples),
    )


def read_samples(
    connection: Connection,
    form: Form,
    rules: Iterable[CheckRule],
    others: Sequence[CheckRule],
    most: int,
) -> list[Sample]:
    """Return filed reports of the newest period, of the groups that the rules ask about."""
    asked = set[str]().union(*(groups_of(form, rule, others) for rule in rules))
    rows = fetch_all(
        connection,
        _SQL["sample_filed"],
        _Filed,
        form_code=form.form_code,
        left_out=sorted(set(form.groups) - asked),
        looks_back=any("last_" in rule.expression for rule in rules),
        most=most,
    )
    return [
        Sample(row.content, row.last, row.submitted_at.astimezone(BEIJING).date()) for row in rows
    ]
