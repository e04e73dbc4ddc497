-- name: list_stages
-- The stages of the headline plans; plans of cities and of counties share their order.
SELECT stage_order, min(name) AS name, bool_or(is_milestone) AS is_milestone
  FROM plan_stage
 WHERE plan_type IN (SELECT plan_type FROM plan WHERE is_headline)
 GROUP BY stage_order
 ORDER BY stage_order

-- name: find_period
-- The period that was open at a moment.
SELECT period_id, name, starts_on, ends_on, deadline_at
  FROM reporting_period
 WHERE form_code = 'plan_progress' AND opened_at <= :moment
 ORDER BY starts_on DESC
 LIMIT 1

-- name: list_filings
-- Each unit's report of the period that was open at a moment: who filed which version and when,
-- and who decided last.
WITH period AS (
    SELECT period_id
      FROM reporting_period
     WHERE form_code = 'plan_progress' AND opened_at <= :moment
     ORDER BY starts_on DESC
     LIMIT 1
)
SELECT submission.division_code AS code, submission.submission_id, last_event.version_no
     , filer.display_name AS filed_by, version.submitted_at AS filed_at
     , CASE WHEN last_event.action IN ('approve', 'return') THEN decider.display_name END AS decided_by
     , CASE WHEN last_event.action IN ('approve', 'return') THEN last_event.happened_at END AS decided_at
  FROM submission
  JOIN period USING (period_id)
  JOIN LATERAL (
      SELECT version_no, action, user_id, happened_at
        FROM review_event
       WHERE review_event.submission_id = submission.submission_id AND happened_at <= :moment
       ORDER BY happened_at DESC, review_event_id DESC
       LIMIT 1) AS last_event ON true
  JOIN submission_version AS version
    ON version.submission_id = submission.submission_id AND version.version_no = last_event.version_no
  JOIN account AS filer ON filer.user_id = version.submitted_by
  LEFT JOIN account AS decider ON decider.user_id = last_event.user_id
 ORDER BY submission.division_code

-- name: list_accepted
-- Every stage of the headline plans as accepted at a moment, with the record that says so.
SELECT DISTINCT ON (accepted.division_code, accepted.stage_code)
       accepted.division_code AS code, stage.stage_order, stage.name AS stage_name
     , accepted.state, CAST(weight.weight / 100 AS double precision) AS weight_ratio
     , accepted.baseline_on, accepted.completed_on, accepted.submission_id, accepted.version_no
     , coalesce(filer.display_name, '历史导入：' || history_import.file_name
                || ' 第 ' || accepted.import_row || ' 行') AS filed_by
     , coalesce(version.submitted_at, history_import.imported_at) AS filed_at
     , accepter.display_name AS decided_by, accepted.accepted_at AS decided_at
  FROM accepted_milestone AS accepted
  JOIN plan ON plan.plan_id = accepted.plan_id AND plan.is_headline
  JOIN plan_stage AS stage USING (stage_code)
  JOIN stage_weight AS weight
    ON weight.stage_code = accepted.stage_code
   AND weight.weight_version = (SELECT max(weight_version) FROM weight_version
                                 WHERE in_force_at <= :moment)
  LEFT JOIN submission_version AS version
         ON version.submission_id = accepted.submission_id
        AND version.version_no = accepted.version_no
  LEFT JOIN account AS filer ON filer.user_id = version.submitted_by
  LEFT JOIN history_import USING (history_import_id)
  JOIN account AS accepter ON accepter.user_id = accepted.accepted_by
 WHERE accepted.accepted_at <= :moment AND plan.declared_at <= :moment
 ORDER BY accepted.division_code, accepted.stage_code, accepted.accepted_at DESC
        , accepted.accepted_milestone_id DESC

-- name: list_roots
-- The prefixes that cover every division of the installation.
SELECT prefix FROM division_on(current_date) WHERE parent_code IS NULL ORDER BY prefix
