-- The web processes of a second machine look whether the database is at their schema.

GRANT SELECT ON schema_migration TO portal_app;
