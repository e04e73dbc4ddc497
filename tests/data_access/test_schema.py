"""The schema keeps the habits of the house: comments, indexes, rights, policies."""

import psycopg
import pytest
from sqlalchemy import create_engine

from data_access.schema_document import schema_markdown
from tests.paths import ROOT

# Procrastinate's own tables and PostGIS's are theirs to describe.
OURS = (
    "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
    " WHERE nspname = 'public' AND relkind IN ('r', 'v')"
    " AND relname !~ '^(procrastinate|spatial_ref_sys|geometry_columns|geography_columns)'"
)


@pytest.fixture
def database(cluster, template):
    with psycopg.connect(f"host={cluster} user=owner dbname={template}") as connection:
        yield connection


def test_every_table_and_column_has_its_chinese_name(database):
    bare = database.execute(
        f"SELECT relname FROM (SELECT pg_class.oid, relname {OURS}) AS ours"
        " WHERE coalesce(obj_description(oid, 'pg_class'), '') !~ '[一-龥]'"
    ).fetchall()
    assert bare == []
    bare = database.execute(
        "SELECT relname, attname"
        f"  FROM (SELECT pg_class.oid, relname, relkind {OURS}) AS ours"
        "  JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped"
        " WHERE relkind = 'r' AND col_description(ours.oid, attnum) IS NULL"
    ).fetchall()
    assert bare == []


def test_every_foreign_key_has_an_index_or_a_small_table_behind_it(database):
    """Without one, a delete or a join reads the whole table. A few are never walked backwards."""
    missing = database.execute(
        """
        SELECT conrelid::regclass::text, conname
          FROM pg_constraint
         WHERE contype = 'f' AND connamespace = 'public'::regnamespace
           AND conrelid::regclass::text !~ '^procrastinate'
           AND NOT EXISTS (
               SELECT FROM pg_index
                WHERE indrelid = conrelid AND indkey[0] = ANY (conkey))
           AND confrelid::regclass::text NOT IN
               ('account', 'form_version', 'plan_stage', 'stored_file', 'admin_division')
        """
    ).fetchall()
    assert missing == []


def test_the_portals_role_owns_nothing_and_cannot_touch_what_is_only_added_to(database):
    owned = database.execute(
        "SELECT relname FROM pg_class WHERE relowner = 'portal_app'::regrole"
    ).fetchall()
    assert owned == []
    writable = database.execute(
        """
        SELECT tablename, privilege
          FROM unnest(ARRAY['row_change', 'trail_head', 'review_event', 'submission_version',
                            'filed_milestone', 'accepted_milestone', 'accepted_disposition',
                            'period_extension', 'submission_receipt', 'filed_contract',
                            'accepted_contract', 'position_correction']) AS tablename
         CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
         WHERE has_table_privilege('portal_app', tablename, privilege)
        """
    ).fetchall()
    assert writable == []


def test_every_table_with_a_division_is_behind_a_row_policy(database):
    """Divisions and boundaries are visible to everyone; answers are scoped on every path."""
    open_to_all = {"account_grant", "row_change"}  # row_change: its policy asks for the auditor
    # Identities and positions, and how many of them lie where.
    open_to_all |= {"division_location", "natural_village", "village_grid"}
    bare = database.execute(
        "SELECT relname"
        f"  FROM (SELECT pg_class.oid, relname, relkind, relrowsecurity {OURS}) AS ours"
        "  JOIN pg_attribute ON attrelid = ours.oid AND attname = 'division_code'"
        " WHERE relkind = 'r' AND NOT relrowsecurity"
    ).fetchall()
    assert {name for (name,) in bare} <= open_to_all


def test_schema_document_is_current(cluster, template):
    engine = create_engine(f"postgresql+psycopg://owner@/{template}?host={cluster}")
    with engine.connect() as connection:
        printed = schema_markdown(connection)
    engine.dispose()
    current = (ROOT / "docs" / "schema.md").read_text("utf-8")
    assert current == printed, "run: ./portal docs"
