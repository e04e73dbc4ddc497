-- Files: uploads on their way in, and stored files by what they contain.
CREATE TABLE stored_file (
    sha256     text PRIMARY KEY,
    size       bigint NOT NULL,
    media_type text NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stored_file_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    CONSTRAINT stored_file_not_empty CHECK (size > 0)
);
COMMENT ON TABLE stored_file IS '已存文件（按内容寻址，存于数据目录）';
COMMENT ON COLUMN stored_file.sha256 IS '内容的 SHA-256';
COMMENT ON COLUMN stored_file.size IS '字节数';
COMMENT ON COLUMN stored_file.media_type IS '媒体类型（由内容判定）';
COMMENT ON COLUMN stored_file.stored_at IS '入库时间';

CREATE TABLE upload (
    upload_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    use         text NOT NULL,
    file_name   text NOT NULL,
    size        bigint NOT NULL,
    received    bigint NOT NULL DEFAULT 0,
    user_id     bigint NOT NULL REFERENCES account,
    created_at  timestamptz NOT NULL DEFAULT now(),
    touched_at  timestamptz NOT NULL DEFAULT now(),
    target      jsonb NOT NULL DEFAULT '{}',
    finished_at timestamptz,
    sha256      text REFERENCES stored_file,
    result      jsonb,
    CONSTRAINT upload_finished_with_file
        CHECK ((finished_at IS NULL) = (sha256 IS NULL) AND (finished_at IS NULL) = (result IS NULL)),
    CONSTRAINT upload_not_empty CHECK (size > 0),
    CONSTRAINT upload_received_within_size CHECK (received BETWEEN 0 AND size),
    CONSTRAINT upload_named CHECK (btrim(file_name) <> '' AND file_name !~ '[/\\]')
);
CREATE INDEX upload_user_id ON upload (user_id);
CREATE INDEX upload_unfinished ON upload (touched_at) WHERE finished_at IS NULL;
COMMENT ON TABLE upload IS '上传（可断点续传）';
COMMENT ON COLUMN upload.upload_id IS '上传标识';
COMMENT ON COLUMN upload.use IS '用途（决定允许的类型与大小）';
COMMENT ON COLUMN upload.file_name IS '文件名';
COMMENT ON COLUMN upload.size IS '声明的字节数';
COMMENT ON COLUMN upload.received IS '已收到的字节数';
COMMENT ON COLUMN upload.user_id IS '上传人';
COMMENT ON COLUMN upload.created_at IS '开始时间';
COMMENT ON COLUMN upload.touched_at IS '最近收到内容的时间';
COMMENT ON COLUMN upload.target IS '上传所属的对象（如规划、阶段、材料名目）';
COMMENT ON COLUMN upload.finished_at IS '完成时间';
COMMENT ON COLUMN upload.sha256 IS '完成后的文件';
COMMENT ON COLUMN upload.result IS '完成时的答复（重复询问时照旧答复）';
ALTER TABLE upload ENABLE ROW LEVEL SECURITY;
CREATE POLICY upload_own ON upload TO portal_app USING (user_id = (SELECT actor_user_id()));

CREATE TABLE upload_use (
    use          text PRIMARY KEY,
    title        text NOT NULL,
    roles        text[] NOT NULL,
    media_types  text[] NOT NULL,
    max_size     bigint NOT NULL,
    max_unpacked bigint NOT NULL
);
COMMENT ON TABLE upload_use IS '上传用途及其限制';
COMMENT ON COLUMN upload_use.use IS '用途';
COMMENT ON COLUMN upload_use.title IS '名称';
COMMENT ON COLUMN upload_use.roles IS '可上传的角色';
COMMENT ON COLUMN upload_use.media_types IS '允许的媒体类型';
COMMENT ON COLUMN upload_use.max_size IS '最大字节数';
COMMENT ON COLUMN upload_use.max_unpacked IS '压缩包解压后的最大字节数';
INSERT INTO upload_use (use, title, roles, media_types, max_size, max_unpacked) VALUES
    ('evidence', '里程碑佐证材料', '{city,county}'
     , '{application/pdf,image/jpeg,image/png,application/zip,application/vnd.openxmlformats-officedocument.wordprocessingml.document,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet}'
     , 209715200, 2147483648);

-- Nobody sees another's upload; the clock may still forget those that were given up.
CREATE FUNCTION remove_abandoned_uploads(untouched_for interval) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM upload
     WHERE finished_at IS NULL
       AND touched_at < now() - greatest(untouched_for, interval '1 day')
    RETURNING upload_id
$$;
REVOKE ALL ON FUNCTION remove_abandoned_uploads(interval) FROM PUBLIC;

SELECT audit_table('stored_file'), audit_table('upload_use');
GRANT SELECT, INSERT (sha256, size, media_type) ON stored_file TO portal_app;
GRANT SELECT, DELETE, INSERT (use, file_name, size, user_id, target)
    , UPDATE (received, touched_at, finished_at, sha256, result) ON upload TO portal_app;
GRANT SELECT ON upload_use TO portal_app;
GRANT EXECUTE ON FUNCTION remove_abandoned_uploads(interval) TO portal_app;
