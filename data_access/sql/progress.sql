-- name: list_units
-- The reporting units as they stood at a moment: accepted facts up to it, under the weights,
-- divisions, extensions and states of submissions then in force.
WITH form AS (
    SELECT unit_levels, unit_kinds
      FROM form_version
     WHERE form_code = 'plan_progress' AND valid_from <= CAST(:day AS date)
     ORDER BY version DESC
     LIMIT 1
), unit AS (
    SELECT division.code, division.name, division.level, division.kind, division.prefix
         , coalesce(division.parent_code, '') AS parent_code
      FROM division_on(CAST(:day AS date)) AS division, form
     WHERE division.level = ANY (form.unit_levels)
       AND (form.unit_kinds IS NULL OR division.kind = ANY (form.unit_kinds))
       AND division.code ^@ ANY ((SELECT actor_prefixes())::text[])
       AND (CAST(:code AS text) IS NULL OR division.code = :code)
), weight AS (
    SELECT stage_code, weight
      FROM stage_weight
     WHERE weight_version = (SELECT max(weight_version) FROM weight_version
                              WHERE in_force_at <= :moment)
), headline AS (
    SELECT plan_id, division_code, plan_type
      FROM plan
     WHERE is_headline AND declared_at <= :moment
), accepted AS (
    SELECT DISTINCT ON (plan_id, stage_code)
           plan_id, stage_code, state, baseline_on
      FROM accepted_milestone
      JOIN headline USING (plan_id)
     WHERE accepted_at <= :moment
     ORDER BY plan_id, stage_code, accepted_at DESC, accepted_milestone_id DESC
), standing AS (
    SELECT accepted.plan_id
         , coalesce(sum(weight.weight) FILTER (WHERE accepted.state = 'completed'), 0) / 100 AS accepted_ratio
         , max(stage.stage_order) FILTER (WHERE accepted.state = 'completed') AS stage_order
         , count(accepted.baseline_on) AS planned_stages
         , min(accepted.baseline_on) FILTER (
               WHERE accepted.state IN ('not_started', 'running')
                 AND accepted.baseline_on < CAST(:day AS date)) AS late_since
         , (array_agg(stage.name ORDER BY accepted.baseline_on, stage.stage_order) FILTER (
               WHERE accepted.state IN ('not_started', 'running')
                 AND accepted.baseline_on < CAST(:day AS date)))[1] AS late_stage_name
      FROM accepted
      JOIN plan_stage AS stage USING (stage_code)
      JOIN weight USING (stage_code)
     GROUP BY accepted.plan_id
), disposition AS (
    SELECT DISTINCT ON (plan_id) plan_id, disposition
      FROM accepted_disposition
     WHERE accepted_at <= :moment
     ORDER BY plan_id, accepted_at DESC, accepted_disposition_id DESC
), period AS (
    SELECT period_id, deadline_at
      FROM reporting_period
     WHERE form_code = 'plan_progress' AND opened_at <= :moment
     ORDER BY starts_on DESC
     LIMIT 1
), report AS (
    SELECT submission.division_code, submission.submission_id
         , last_event.to_state, last_event.version_no
         , first_round.happened_at AS submitted_at
         , coalesce(extension.deadline_at, period.deadline_at) AS deadline_at
      FROM submission
      JOIN period USING (period_id)
      JOIN LATERAL (
          SELECT to_state, version_no
            FROM review_event
           WHERE review_event.submission_id = submission.submission_id AND happened_at <= :moment
           ORDER BY happened_at DESC, review_event_id DESC
           LIMIT 1) AS last_event ON true
      LEFT JOIN LATERAL (
          SELECT max(happened_at) AS happened_at
            FROM review_event
           WHERE review_event.submission_id = submission.submission_id AND happened_at <= :moment
             AND action = 'submit' AND round_no = 1) AS first_round ON true
      LEFT JOIN LATERAL (
          SELECT deadline_at
            FROM period_extension
           WHERE period_extension.period_id = period.period_id
             AND period_extension.division_code = submission.division_code
             AND granted_at <= :moment
           ORDER BY granted_at DESC
           LIMIT 1) AS extension ON true
), pending AS (
    SELECT report.division_code, sum(weight.weight) / 100 AS pending_ratio
      FROM report
      JOIN filed_milestone AS filed USING (submission_id, version_no)
      JOIN plan ON plan.plan_id = filed.plan_id AND plan.is_headline
      JOIN weight USING (stage_code)
      LEFT JOIN LATERAL (
          SELECT state
            FROM accepted_milestone
           WHERE accepted_milestone.plan_id = filed.plan_id
             AND accepted_milestone.stage_code = filed.stage_code AND accepted_at <= :moment
           ORDER BY accepted_at DESC, accepted_milestone_id DESC
           LIMIT 1) AS known ON true
     WHERE report.to_state = 'submitted' AND filed.state = 'completed'
       AND known.state IS DISTINCT FROM 'completed'
     GROUP BY report.division_code
)
SELECT unit.code, unit.name, unit.level, unit.kind, unit.prefix, unit.parent_code
     , coalesce(parent.name, '') AS parent_name
     , headline.plan_id
     , coalesce(disposition.disposition, 'compiling') AS disposition
     , CAST(coalesce(standing.accepted_ratio, 0) AS double precision) AS accepted_ratio
     , CAST(coalesce(pending.pending_ratio, 0) AS double precision) AS pending_ratio
     , coalesce(standing.stage_order, 0) AS stage_order
     , coalesce(reached.name, '') AS stage_name
     , CAST(coalesce(stages.stage_count, 0) AS integer) AS stage_count
     , coalesce(CAST(:day AS date) - standing.late_since, 0) AS late_days
     , standing.late_since
     , coalesce(standing.late_stage_name, '') AS late_stage_name
     , CAST(coalesce(standing.planned_stages, 0) AS integer) AS planned_stages
     , CASE coalesce(report.to_state, 'draft') WHEN 'draft' THEN 'not_filed'
            ELSE report.to_state END AS period_state
     , coalesce(version.no_change, false) AS no_change
     , report.submitted_at
     , coalesce(report.submitted_at <= report.deadline_at, false) AS on_time
     , coalesce(report.deadline_at, own_extension.deadline_at, period.deadline_at) AS deadline_at
     , coalesce(responsible.name, '') AS responsible_name
  FROM unit
  LEFT JOIN division_on(CAST(:day AS date)) AS parent ON parent.code = unit.parent_code
  LEFT JOIN headline ON headline.division_code = unit.code
  LEFT JOIN disposition USING (plan_id)
  LEFT JOIN standing USING (plan_id)
  LEFT JOIN plan_stage AS reached
         ON reached.plan_type = headline.plan_type AND reached.stage_order = standing.stage_order
  LEFT JOIN LATERAL (
      SELECT count(*) AS stage_count FROM plan_stage
       WHERE plan_stage.plan_type = headline.plan_type) AS stages ON true
  LEFT JOIN period ON true
  LEFT JOIN report ON report.division_code = unit.code
  LEFT JOIN submission_version AS version
         ON version.submission_id = report.submission_id AND version.version_no = report.version_no
  LEFT JOIN LATERAL (
      SELECT deadline_at
        FROM period_extension
       WHERE period_extension.period_id = period.period_id
         AND period_extension.division_code = unit.code AND granted_at <= :moment
       ORDER BY granted_at DESC
       LIMIT 1) AS own_extension ON true
  LEFT JOIN pending ON pending.division_code = unit.code
  LEFT JOIN LATERAL (
      SELECT content -> 'form' ->> 'responsible_name' AS name
        FROM submission_version AS latest
        JOIN submission AS latest_report USING (submission_id)
       WHERE latest.division_code = unit.code AND latest.submitted_at <= :moment
         AND latest_report.form_code = 'plan_progress'
       ORDER BY latest.submitted_at DESC
       LIMIT 1) AS responsible ON true
 ORDER BY unit.code

-- name: data_version
SELECT coalesce(max(dashboard_change_id), 0) || '-' || count(*) FROM dashboard_change

-- name: list_milestones
-- Every plan of a unit with every stage of its type: accepted up to the moment, and what waits.
SELECT plan.plan_id, plan.plan_type, plan.name AS plan_name, plan.is_headline
     , coalesce(disposition.disposition, 'compiling') AS disposition
     , stage.plan_type_name, stage.stage_code, stage.stage_order, stage.name AS stage_name
     , stage.responsible, stage.evidence_items, stage.minimum_days
     , CAST(weight.weight / 100 AS double precision) AS weight_ratio
     , coalesce(accepted.state, 'not_started') AS state
     , accepted.baseline_on, accepted.replanned_on, accepted.replan_reason
     , accepted.started_on, accepted.completed_on, accepted.skip_reason, accepted.late_reason
     , coalesce(accepted.evidence_ids, '{}') AS evidence_ids
     , accepted.submission_id, accepted.version_no
     , history_import.file_name || ' 第 ' || accepted.import_row || ' 行' AS import_source
     , account.display_name AS accepted_by_name, accepted.accepted_at
     , pending.state AS pending_state, pending.completed_on AS pending_completed_on
     , CASE WHEN coalesce(accepted.state, 'not_started') IN ('not_started', 'running')
            THEN greatest(CAST(:day AS date) - accepted.baseline_on, 0) ELSE 0 END AS late_days
  FROM plan
  JOIN plan_stage AS stage USING (plan_type)
  JOIN stage_weight AS weight
    ON weight.stage_code = stage.stage_code
   AND weight.weight_version = (SELECT max(weight_version) FROM weight_version
                                 WHERE in_force_at <= :moment)
  LEFT JOIN LATERAL (
      SELECT *
        FROM accepted_milestone
       WHERE accepted_milestone.plan_id = plan.plan_id
         AND accepted_milestone.stage_code = stage.stage_code AND accepted_at <= :moment
       ORDER BY accepted_at DESC, accepted_milestone_id DESC
       LIMIT 1) AS accepted ON true
  LEFT JOIN account ON account.user_id = accepted.accepted_by
  LEFT JOIN history_import ON history_import.history_import_id = accepted.history_import_id
  LEFT JOIN LATERAL (
      SELECT disposition
        FROM accepted_disposition
       WHERE accepted_disposition.plan_id = plan.plan_id AND accepted_at <= :moment
       ORDER BY accepted_at DESC, accepted_disposition_id DESC
       LIMIT 1) AS disposition ON true
  LEFT JOIN LATERAL (
      SELECT filed.state, filed.completed_on
        FROM submission
        JOIN LATERAL (
            SELECT to_state, version_no
              FROM review_event
             WHERE review_event.submission_id = submission.submission_id AND happened_at <= :moment
             ORDER BY happened_at DESC, review_event_id DESC
             LIMIT 1) AS last_event ON last_event.to_state = 'submitted'
        JOIN filed_milestone AS filed
          ON filed.submission_id = submission.submission_id
         AND filed.version_no = last_event.version_no
         AND filed.plan_id = plan.plan_id AND filed.stage_code = stage.stage_code
       WHERE submission.division_code = plan.division_code
       ORDER BY submission.period_id DESC
       LIMIT 1) AS pending ON pending.state <> coalesce(accepted.state, 'not_started')
 WHERE plan.division_code = :code AND plan.declared_at <= :moment
 ORDER BY plan.is_headline DESC, plan.plan_id, stage.stage_order
