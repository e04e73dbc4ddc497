-- name: read_settings
SELECT name, value FROM portal_setting
