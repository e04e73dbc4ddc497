-- name: current_milestones
-- What the province accepted last, stage by stage: where a new draft starts from.
SELECT plan.plan_id, plan.plan_type, plan.name AS plan_name, plan.is_headline
     , stage.stage_code, stage.stage_order, stage.name AS stage_name, stage.evidence_items
     , stage.minimum_days
     , coalesce(accepted.state, 'not_started') AS state, accepted.baseline_on
     , accepted.replanned_on, accepted.replan_reason, accepted.started_on, accepted.completed_on
     , accepted.skip_reason, accepted.late_reason
     , coalesce(accepted.evidence_ids, '{}') AS evidence_ids
  FROM plan
  JOIN plan_stage AS stage USING (plan_type)
  LEFT JOIN LATERAL (
      SELECT * FROM accepted_milestone
       WHERE accepted_milestone.plan_id = plan.plan_id
         AND accepted_milestone.stage_code = stage.stage_code
       ORDER BY accepted_at DESC, accepted_milestone_id DESC
       LIMIT 1) AS accepted ON true
 WHERE plan.division_code = :division_code
 ORDER BY plan.is_headline DESC, plan.plan_id, stage.stage_order

-- name: current_dispositions
SELECT DISTINCT ON (plan_id) plan_id, disposition, reason
  FROM accepted_disposition
 WHERE division_code = :division_code
 ORDER BY plan_id, accepted_at DESC, accepted_disposition_id DESC

-- name: list_evidence
SELECT evidence_id, plan_id, stage_code, item
  FROM evidence
 WHERE division_code = :division_code AND stage_code IS NOT NULL AND removed_at IS NULL

-- name: write_filed
INSERT INTO filed_milestone (submission_id, version_no, division_code, plan_id, stage_code, state
     , planned_on, replanned_on, replan_reason, started_on, completed_on, skip_reason, late_reason
     , note, evidence_ids)
SELECT version.submission_id, version.version_no, version.division_code, filed.plan_id
     , filed.stage_code, coalesce(filed.state, 'not_started'), filed.planned_on, filed.replanned_on
     , filed.replan_reason, filed.started_on, filed.completed_on, filed.skip_reason
     , filed.late_reason, filed.note
     , coalesce((SELECT array_agg(CAST(value AS bigint) ORDER BY key)
                   FROM jsonb_each_text(filed.evidence)
                  WHERE value IS NOT NULL), '{}')
  FROM submission_version AS version
 CROSS JOIN jsonb_to_recordset(version.content -> 'milestone') AS filed (
       plan_id bigint, stage_code text, state text, planned_on date, replanned_on date
     , replan_reason text, started_on date, completed_on date, skip_reason text, late_reason text
     , note text, evidence jsonb)
 WHERE version.submission_id = :submission_id AND version.version_no = :version_no

-- name: accept_milestones
-- Only what differs from the accepted picture becomes a new fact; a baseline, once there, stays.
INSERT INTO accepted_milestone (plan_id, division_code, stage_code, state, baseline_on, replanned_on
     , replan_reason, started_on, completed_on, skip_reason, late_reason, evidence_ids
     , submission_id, version_no, accepted_by)
SELECT filed.plan_id, filed.division_code, filed.stage_code, filed.state
     , coalesce(known.baseline_on, filed.planned_on), filed.replanned_on, filed.replan_reason
     , filed.started_on, filed.completed_on, filed.skip_reason, filed.late_reason
     , filed.evidence_ids, filed.submission_id, filed.version_no, :user_id
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
       AS accepted (submission_id, version_no)
  JOIN filed_milestone AS filed
    ON filed.submission_id = accepted.submission_id AND filed.version_no = accepted.version_no
  LEFT JOIN LATERAL (
      SELECT * FROM accepted_milestone
       WHERE accepted_milestone.plan_id = filed.plan_id
         AND accepted_milestone.stage_code = filed.stage_code
       ORDER BY accepted_at DESC, accepted_milestone_id DESC
       LIMIT 1) AS known ON true
 WHERE (filed.state <> 'not_started' OR filed.planned_on IS NOT NULL OR known.plan_id IS NOT NULL)
   AND (filed.state, coalesce(known.baseline_on, filed.planned_on), filed.replanned_on
       , filed.started_on, filed.completed_on, filed.skip_reason, filed.late_reason, filed.evidence_ids)
       IS DISTINCT FROM
       (known.state, known.baseline_on, known.replanned_on, known.started_on, known.completed_on
       , known.skip_reason, known.late_reason, known.evidence_ids)

-- name: accept_dispositions
INSERT INTO accepted_disposition (plan_id, division_code, disposition, reason, submission_id
     , version_no, accepted_by)
SELECT filed.plan_id, version.division_code, filed.disposition, coalesce(filed.disposition_reason, '')
     , version.submission_id, version.version_no, :user_id
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
       AS accepted (submission_id, version_no)
  JOIN submission_version AS version USING (submission_id, version_no)
 CROSS JOIN jsonb_to_recordset(version.content -> 'plan') AS filed (
       plan_id bigint, disposition text, disposition_reason text)
  LEFT JOIN LATERAL (
      SELECT disposition FROM accepted_disposition
       WHERE accepted_disposition.plan_id = filed.plan_id
       ORDER BY accepted_at DESC, accepted_disposition_id DESC
       LIMIT 1) AS known ON true
 WHERE coalesce(filed.disposition, 'compiling') <> coalesce(known.disposition, 'compiling')
