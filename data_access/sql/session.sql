-- name: set_actor
-- The settings last until the end of the transaction.
SELECT set_config('app.user_id', :user_id, true)
     , set_config('app.roles', :roles, true)
     , set_config('app.prefixes', :prefixes, true)
     , set_config('app.action', :action, true)
     , set_config('plan_cache_mode', :planning, true)
