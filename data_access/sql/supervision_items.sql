-- name: insert_item
INSERT INTO supervision_item
       (division_code, title, requirement, responsible, deadline_on, opened_by)
VALUES (:division_code, :title, :requirement, :responsible, :deadline_on, :opened_by)
RETURNING supervision_item_id AS id

-- name: list_items
-- At a past moment the state is that of the last note then written; a comment moves nothing.
SELECT item.supervision_item_id, item.division_code
     , coalesce(division.name, item.division_code) AS division_name
     , coalesce(parent.name, '') AS parent_name
     , identity.prefix, item.title, item.requirement, item.responsible, item.deadline_on
     , standing.state, item.lock_version, item.opened_by, opener.display_name AS opened_by_name
     , item.opened_at
     , CASE WHEN standing.state = 'closed' THEN closer.display_name END AS closed_by_name
     , CASE WHEN standing.state = 'closed' THEN item.closed_at END AS closed_at
  FROM supervision_item AS item
  JOIN admin_division AS identity ON identity.code = item.division_code
  LEFT JOIN division_on(current_date) AS division ON division.code = item.division_code
  LEFT JOIN division_on(current_date) AS parent ON parent.code = division.parent_code
  JOIN account AS opener ON opener.user_id = item.opened_by
  LEFT JOIN account AS closer ON closer.user_id = item.closed_by
 CROSS JOIN LATERAL (
      SELECT CASE WHEN CAST(:moment AS timestamptz) IS NULL THEN item.state
                  ELSE coalesce((
                      SELECT CASE note.kind WHEN 'feedback' THEN 'answered'
                                            WHEN 'close' THEN 'closed' ELSE 'open' END
                        FROM supervision_note AS note
                       WHERE note.supervision_item_id = item.supervision_item_id
                         AND note.kind <> 'comment' AND note.written_at <= :moment
                       ORDER BY note.written_at DESC, note.supervision_note_id DESC
                       LIMIT 1), 'open') END AS state
      ) AS standing
 WHERE (CAST(:division_code AS text) IS NULL OR item.division_code = :division_code)
   AND (CAST(:item_id AS bigint) IS NULL OR item.supervision_item_id = :item_id)
   AND (CAST(:moment AS timestamptz) IS NULL OR item.opened_at <= :moment)
 ORDER BY standing.state = 'closed', item.deadline_on, item.supervision_item_id

-- name: list_notes
SELECT note.supervision_note_id, note.supervision_item_id, note.kind, note.body
     , writer.display_name AS written_by_name, note.written_at
  FROM supervision_note AS note
  JOIN account AS writer ON writer.user_id = note.written_by
 WHERE note.supervision_item_id = ANY (CAST(:item_ids AS bigint[]))
 ORDER BY note.written_at, note.supervision_note_id

-- name: insert_note
INSERT INTO supervision_note (supervision_item_id, division_code, kind, body, written_by)
VALUES (:item_id, :division_code, :kind, :body, :user_id)

-- name: move_item
-- A comment leaves the version alone: it makes nobody's open page old.
UPDATE supervision_item
   SET state = :state
     , lock_version = lock_version + CAST(:version_step AS integer)
     , closed_by = CAST(:closed_by AS bigint)
     , closed_at = CASE WHEN CAST(:closed_by AS bigint) IS NULL THEN NULL ELSE now() END
     , deadline_on = coalesce(CAST(:deadline_on AS date), deadline_on)
 WHERE supervision_item_id = :item_id
   AND lock_version = :lock_version

-- name: list_opener_desks
SELECT DISTINCT account_grant.role, account_grant.division_code
  FROM supervision_item AS item
  JOIN account_grant ON account_grant.user_id = item.opened_by
   AND account_grant.role = ANY (CAST(:roles AS text[]))
   AND item.division_code ^@ account_grant.prefix
 WHERE item.supervision_item_id = :item_id
