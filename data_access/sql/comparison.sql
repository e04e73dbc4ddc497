-- name: find_files
SELECT evidence_id AS file_id, file_name AS name, sha256
  FROM evidence
 WHERE evidence_id = ANY (CAST(:file_ids AS bigint[]))
