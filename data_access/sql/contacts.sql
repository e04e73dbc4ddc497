-- name: list_contact_fields
SELECT field.field_code, field.label, field.data_type, field.sensitivity
     , latest.content -> 'form' ->> field.field_code AS value
  FROM (SELECT submission_version.form_version, submission.form_code, submission_version.content
          FROM submission_version
          JOIN submission USING (submission_id)
         WHERE submission_version.division_code = :code AND submission.form_code = :form_code
           AND submission_version.submitted_at <= :moment
         ORDER BY submission_version.submitted_at DESC
         LIMIT 1) AS latest
  JOIN form_field AS field
    ON field.form_code = latest.form_code AND field.version = latest.form_version
   AND field.group_code = 'form'
 WHERE field.field_code IN ('responsible_name', 'contact_name', 'contact_phone')
   AND btrim(coalesce(latest.content -> 'form' ->> field.field_code, '')) <> ''
 ORDER BY field.field_code = 'responsible_name' DESC, field.field_order

-- name: last_filed_fields
-- What the unit's last report on this form said of itself prefills the next one.
SELECT version.content -> 'form' AS fields
  FROM submission_version AS version
  JOIN submission USING (submission_id, division_code)
 WHERE division_code = :division_code AND submission.form_code = :form_code
 ORDER BY version.submitted_at DESC
 LIMIT 1
