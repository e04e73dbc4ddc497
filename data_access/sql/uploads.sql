-- name: find_use
SELECT use, title, roles, media_types, max_size, max_unpacked FROM upload_use WHERE use = :use

-- name: begin
INSERT INTO upload (use, file_name, size, user_id, target)
VALUES (:use, :file_name, :size, :user_id, CAST(:target AS jsonb))
RETURNING upload_id

-- name: find_upload
SELECT upload_id, use, file_name, size, received, user_id, target, sha256, result
  FROM upload
 WHERE upload_id = :upload_id

-- name: find_file
-- One of the actor's own: nobody opens another's file by its checksum.
SELECT file_name FROM upload
 WHERE use = :use AND sha256 = :sha256
 ORDER BY finished_at DESC
 LIMIT 1

-- name: note_received
UPDATE upload SET received = :received, touched_at = now()
 WHERE upload_id = :upload_id AND finished_at IS NULL
RETURNING received

-- name: store_file
INSERT INTO stored_file (sha256, size, media_type)
VALUES (:sha256, :size, :media_type)
    ON CONFLICT (sha256) DO NOTHING

-- name: finish
UPDATE upload
   SET finished_at = now()
     , received = size
     , sha256 = :sha256
     , result = CAST(:result AS jsonb)
 WHERE upload_id = :upload_id

-- name: cancel
DELETE FROM upload WHERE upload_id = :upload_id AND finished_at IS NULL RETURNING upload_id

-- name: remove_abandoned
SELECT remove_abandoned_uploads(make_interval(days => :days))
