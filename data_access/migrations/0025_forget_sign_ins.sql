-- What the sign-in leaves behind is of no use after its time, and says who came from where: it goes.
-- A ticket holds for a minute, a failure locks for fifteen; the auditor's record is account_event.
CREATE FUNCTION forget_sign_ins() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM sign_in_ticket WHERE created_at < now() - interval '1 day';
    DELETE FROM sign_in_failure WHERE happened_at < now() - interval '90 days';
$$;
COMMENT ON FUNCTION forget_sign_ins() IS '清除过期的登录票据（1 天）和登录失败记录（90 天）';
REVOKE ALL ON FUNCTION forget_sign_ins() FROM public;
GRANT EXECUTE ON FUNCTION forget_sign_ins() TO portal_app;
