-- name: list_warnings
-- How a figure stands now is by the rules of its year now, not by those the item was raised with.
WITH judged AS MATERIALIZED (
    SELECT year, assessment_rules_of(year) AS rule_version FROM unnest(assessment_years()) AS year
)
SELECT item.indicator_warning_id, item.division_code
     , coalesce(division.name, item.division_code) AS division_name
     , coalesce(parent.name, '') AS parent_name, identity.prefix
     , item.canonical_code, canonical.name AS indicator_name, canonical.unit, canonical.decimals
     , item.report_year, item.rule_version, item.from_level, item.level, item.state
     , item.lock_version, item.responsible, item.raised_at, item.due_on, item.escalated_at
     , closer.display_name AS closed_by_name, item.closed_at
     , result.value, result.reference, result.is_breach, result.level AS standing_level
     , count(*) OVER () AS matching
  FROM indicator_warning AS item
  JOIN indicator_canonical AS canonical USING (canonical_code)
  JOIN warning_level AS level ON level.level = item.level
  JOIN admin_division AS identity ON identity.code = item.division_code
  LEFT JOIN division_on(current_date) AS division ON division.code = item.division_code
  LEFT JOIN division_on(current_date) AS parent ON parent.code = division.parent_code
  LEFT JOIN account AS closer ON closer.user_id = item.closed_by
  LEFT JOIN judged ON judged.year = item.report_year
  LEFT JOIN assessment_result AS result
         ON result.rule_version = judged.rule_version AND result.report_year = item.report_year
        AND result.division_code = item.division_code AND result.canonical_code = item.canonical_code
 WHERE (CAST(:division_code AS text) IS NULL OR item.division_code = :division_code)
   AND (CAST(:canonical_code AS text) IS NULL OR item.canonical_code = :canonical_code)
   AND (CAST(:warning_id AS bigint) IS NULL OR item.indicator_warning_id = :warning_id)
   AND (NOT CAST(:in_hand AS boolean) OR item.state <> 'closed')
   AND (CAST(:state AS text) IS NULL OR item.state = :state)
   AND (CAST(:level AS text) IS NULL OR item.level = :level)
   AND (CAST(:overdue_on AS date) IS NULL OR item.state <> 'closed' AND item.due_on < CAST(:overdue_on AS date))
   AND (CAST(:city AS text) IS NULL OR :city IN (division.code, division.parent_code))
   AND (CAST(:named AS text) IS NULL OR strpos(division.name || ' ' || canonical.name, :named) > 0)
 ORDER BY item.state = 'closed', level.level_rank DESC, item.due_on, item.indicator_warning_id
OFFSET :skipped
 LIMIT :limit

-- name: count_in_hand
SELECT level, count(*) AS items
     , count(*) FILTER (WHERE due_on < CAST(:today AS date)) AS overdue
  FROM indicator_warning
 WHERE state <> 'closed'
 GROUP BY level

-- name: list_notes
SELECT note.indicator_warning_note_id, note.indicator_warning_id, note.kind, note.body
     , writer.display_name AS written_by_name, note.written_at
  FROM indicator_warning_note AS note
  LEFT JOIN account AS writer ON writer.user_id = note.written_by
 WHERE note.indicator_warning_id = :warning_id
 ORDER BY note.written_at, note.indicator_warning_note_id

-- name: insert_note
INSERT INTO indicator_warning_note (indicator_warning_id, division_code, kind, body, written_by)
VALUES (:warning_id, :division_code, :kind, :body, :user_id)

-- name: move
UPDATE indicator_warning
   SET state = :state
     , lock_version = lock_version + CAST(:version_step AS integer)
     , responsible = coalesce(CAST(:responsible AS text), responsible)
     , closed_by = CAST(:closed_by AS bigint)
     , closed_at = CASE WHEN CAST(:closed_by AS bigint) IS NULL THEN NULL ELSE now() END
     , due_on = coalesce(CAST(:due_on AS date), due_on)
 WHERE indicator_warning_id = :warning_id AND lock_version = :lock_version

-- name: escalate_due
WITH escalated AS (
    UPDATE indicator_warning AS item
       SET escalated_at = now()
      FROM warning_level AS level
     WHERE level.level = item.level AND item.state = 'open'
       AND item.escalated_at IS NULL AND item.due_on < CAST(:today AS date)
    RETURNING item.indicator_warning_id, item.division_code, item.canonical_code, item.due_on
            , level.name AS level_name, level.escalation_role
)
SELECT escalated.indicator_warning_id, escalated.division_code, division.name AS division_name
     , canonical.name AS indicator_name, escalated.due_on, escalated.level_name
     , escalated.escalation_role
     , CASE WHEN escalated.escalation_role = 'city' AND division.level = 'county'
            THEN division.parent_code
            ELSE (SELECT code FROM division_on(CAST(:today AS date)) WHERE parent_code IS NULL) END AS desk_code
     , division.level AS unit_level
  FROM escalated
  JOIN division_on(CAST(:today AS date)) AS division ON division.code = escalated.division_code
  JOIN indicator_canonical AS canonical USING (canonical_code)
 ORDER BY escalated.indicator_warning_id

-- name: list_raised
-- What this very transaction raised: its units are told.
SELECT item.indicator_warning_id, item.division_code, division.level AS unit_level
     , canonical.name AS indicator_name, level.name AS level_name, item.due_on, item.report_year
  FROM indicator_warning AS item
  JOIN division_on(current_date) AS division ON division.code = item.division_code
  JOIN indicator_canonical AS canonical USING (canonical_code)
  JOIN warning_level AS level ON level.level = item.level
 WHERE item.raised_at = now()
 ORDER BY item.indicator_warning_id
