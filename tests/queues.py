"""Reports that wait for a review, made by the thousand: what tests and benchmarks start from."""

from collections.abc import Sequence

import psycopg

from domain.receipts import canonical, content_sha256

CONTENT = {"form": {"work_summary": "已完成本期工作。"}, "plan": [], "milestone": []}
# The three statements below are one report's life up to its review, for many at once.
_SUBMISSIONS = """
INSERT INTO submission (form_code, period_id, division_code, state, step_no, version_no
     , lock_version, filer_id, submitted_at, first_submitted_at, no_change, waiting_since)
SELECT period.form_code, period.period_id, code, 'submitted', %(step_no)s, 1, 2, %(filer_id)s
     , moment, moment, number %% 5 = 0, moment
  FROM reporting_period AS period
 CROSS JOIN unnest(%(codes)s::text[]) WITH ORDINALITY AS unit (code, number)
 CROSS JOIN LATERAL (SELECT now() - number * interval '7 minutes' AS moment) AS submitted
 WHERE period.period_id = ANY (%(period_ids)s::bigint[])
 ORDER BY period.period_id, number
RETURNING submission_id
"""
_VERSIONS = """
INSERT INTO submission_version (submission_id, version_no, division_code, round_no, form_version
     , rule_version, code_version, workflow_version, content, content_sha256, no_change
     , submitted_by, submitted_at)
SELECT submission_id, 1, division_code, 1, period.form_version, form.rule_version
     , form.code_version, period.workflow_version, %(content)s::jsonb, %(sum)s, no_change
     , filer_id, submitted_at
  FROM submission JOIN reporting_period AS period USING (period_id)
  JOIN form_version AS form
    ON form.form_code = period.form_code AND form.version = period.form_version
 WHERE submission_id = ANY (%(ids)s::bigint[])
"""
_EVENTS = """
INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no, action
     , from_state, to_state, to_step_no, user_id, role, happened_at)
SELECT submission_id, division_code, 1, 1, 0, 'submit', 'draft', 'submitted', step_no
     , filer_id, 'county', submitted_at
  FROM submission WHERE submission_id = ANY (%(ids)s::bigint[])
"""
_CHECKS = """
INSERT INTO submission_check (submission_id, version_no, division_code, errors, warnings, changes
     , attachments, new_attachments)
SELECT submission_id, 1, division_code, 0, CASE WHEN submission_id %% 7 = 0 THEN 2 ELSE 0 END
     , submission_id %% 9, 2, 1
  FROM submission WHERE submission_id = ANY (%(ids)s::bigint[])
"""


def make_waiting(
    owner: psycopg.Connection,
    filer_id: int,
    period_ids: Sequence[int],
    codes: Sequence[str],
    step_no: int = 1,
) -> list[int]:
    """Let each unit's report of each period wait at a step; return their ids, unit by unit."""
    parameters = {
        "step_no": step_no,
        "filer_id": filer_id,
        "codes": list(codes),
        "period_ids": list(period_ids),
    }
    ids = [number for (number,) in owner.execute(_SUBMISSIONS, parameters)]
    given = {"ids": ids, "content": canonical(CONTENT), "sum": content_sha256(CONTENT)}
    for statement in (_VERSIONS, _EVENTS, _CHECKS):
        owner.execute(statement, given)
    return ids


def counties_of(owner: psycopg.Connection, prefix: str) -> list[str]:
    """Return the codes of the counties below a prefix, in order."""
    rows = owner.execute(
        "SELECT code FROM admin_division WHERE level = 'county' AND prefix ^@ %s ORDER BY code",
        [prefix],
    )
    return [code for (code,) in rows]
