"""PostgreSQL keeps the log by month, and itself refuses an entry that does not follow the head. SQLite stays as it is.

What was the table becomes the part that holds all up to a month to come: no row moves. A key over all parts would have
to hold the month, so each part has one of its own, and what one key over all did is done where a statement ends:
its entries must follow the head of their chain without a gap, and the head goes on with them; no other way moves it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KEEPS = "the transaction log is append-only"
BOUND = "log_entries_bound"
"""A constraint that `log_months.prepare_months` may have proven before: then no row is read while others wait."""

MONTH = "(extract(epoch FROM {} AT TIME ZONE 'UTC') * 1000000)::bigint"
THIS_MONTH = "date_trunc('month', now() AT TIME ZONE 'UTC')"

FOLLOW = f"""
CREATE FUNCTION runway_follow_head() RETURNS trigger LANGUAGE plpgsql SET search_path = {{schema}}, pg_temp AS $$
DECLARE page record;
BEGIN
  FOR page IN
    SELECT p.*, (SELECT a.hash FROM added a WHERE a.company_id = p.owner AND a.sequence = p.last LIMIT 1) AS hash,
      (SELECT a.previous_hash FROM added a WHERE a.company_id = p.owner AND a.sequence = p.first LIMIT 1) AS previous
    FROM (SELECT company_id AS owner, min(sequence) AS first, max(sequence) AS last, count(*) AS entries,
            count(DISTINCT sequence) AS places FROM added GROUP BY company_id ORDER BY company_id) p
  LOOP
    IF page.entries = page.places AND page.places = page.last - page.first + 1 THEN
      UPDATE log_heads h SET sequence = page.last, hash = page.hash
      WHERE h.company_id = page.owner AND h.sequence = page.first - 1 AND h.hash = page.previous;
      CONTINUE WHEN FOUND;
    END IF;
    -- The door by which archived entries come back, for the owner of the tables alone; one at a time.
    UPDATE log_heads h SET sequence = h.sequence WHERE h.company_id = page.owner;
    IF has_table_privilege('log_entries', 'DELETE')
      AND EXISTS (SELECT FROM log_pieces p WHERE p.company_id = page.owner
        AND p.first_sequence <= page.first AND page.last <= p.last_sequence)
      AND page.entries = (SELECT count(*) FROM log_entries e WHERE e.company_id = page.owner
        AND e.sequence BETWEEN page.first AND page.last)
    THEN
      CONTINUE;
    END IF;
    RAISE EXCEPTION '{KEEPS}: entry % of % does not follow the head of its chain', page.first, page.owner;
  END LOOP;
  RETURN NULL;
END $$
"""  # noqa: S608 - the text of a function
MONTHS = r"""
CREATE FUNCTION runway_log_months() RETURNS TABLE (name text, first bigint, until bigint)
LANGUAGE sql STABLE SET search_path = {schema}, pg_temp AS $$
  SELECT c.relname::text, (regexp_match(b.bound, 'FROM \(''(-?\d+)''\)'))[1]::bigint,
    (regexp_match(b.bound, 'TO \(''(-?\d+)''\)'))[1]::bigint
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bound) b
  WHERE i.inhparent = 'log_entries'::regclass
$$
"""
GUARD = """
CREATE FUNCTION runway_guard_log_month(part regclass) RETURNS void
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
  -- Triggers of statements are not inherited. Nobody adds to a part but by way of the whole, where heads are minded.
  EXECUTE format('CREATE OR REPLACE TRIGGER log_entries_keep_all BEFORE TRUNCATE ON %s '
    'FOR EACH STATEMENT EXECUTE FUNCTION runway_refuse_change()', part);
  EXECUTE format('CREATE OR REPLACE TRIGGER log_entries_keep_part BEFORE INSERT ON %s '
    'FOR EACH STATEMENT EXECUTE FUNCTION runway_refuse_change()', part);
  EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER, ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
END $$
"""
MAKE = """
CREATE FUNCTION runway_make_log_part(part text, bounds text) RETURNS void
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE log_entries) WITH (toast_tuple_target = 8160)', part);
  EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I PRIMARY KEY (company_id, sequence)', part, 'pk_' || part);
  EXECUTE format('CREATE INDEX %I ON %I (company_id, kind, external_id, sequence)', 'ix_' || part || '_record', part);
  EXECUTE format('CREATE INDEX %I ON %I (company_id, seen_at) WHERE what IN (''updated'', ''deleted'')',
    'ix_' || part || '_changed', part);
  PERFORM runway_guard_log_month(format('%I', part)::regclass);
  EXECUTE format('ALTER TABLE log_entries ATTACH PARTITION %I %s', part, bounds);
END $$
"""
MAKE_MONTH = f"""
CREATE FUNCTION runway_make_log_month(month timestamp) RETURNS boolean
LANGUAGE plpgsql SET search_path = {{schema}}, pg_temp AS $$
DECLARE
  begins bigint := {MONTH.format("month")};
  ends bigint := {MONTH.format("(month + interval '1 month')")};
BEGIN
  IF EXISTS (SELECT FROM runway_log_months() m WHERE m.until > begins AND coalesce(m.first, begins) < ends) THEN
    RETURN false;
  END IF;
  PERFORM runway_make_log_part('log_entries_' || to_char(month, 'YYYY_MM'),
    format('FOR VALUES FROM (%s) TO (%s)', begins, ends));
  RETURN true;
EXCEPTION WHEN check_violation THEN
  RETURN false; -- entries of that month lie in the rest already: `runway db upgrade` makes a part of that
END $$
"""  # noqa: S608 - the text of a function
KEEP = f"""
CREATE FUNCTION runway_keep_log_months() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {{schema}}, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE made integer := 0;
BEGIN
  FOR ahead IN 0..1 LOOP
    IF runway_make_log_month({THIS_MONTH} + ahead * interval '1 month') THEN
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$
"""
REFUSE_HEAD = f"""
CREATE FUNCTION runway_refuse_head() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{KEEPS}: a head moves with the entries of its chain alone'; END $$
"""
HEADS = (
    "CREATE TRIGGER log_heads_keep BEFORE UPDATE ON log_heads FOR EACH ROW WHEN (NEW.company_id <> OLD.company_id "
    "OR NEW.sequence < OLD.sequence OR (pg_trigger_depth() = 0 AND (NEW.sequence <> OLD.sequence OR NEW.hash <> "
    "OLD.hash))) EXECUTE FUNCTION runway_refuse_head()",
    "CREATE TRIGGER log_heads_keep_begun BEFORE INSERT ON log_heads FOR EACH ROW WHEN (NEW.sequence <> 0) "
    "EXECUTE FUNCTION runway_refuse_head()",
    "CREATE TRIGGER log_heads_keep_delete BEFORE DELETE ON log_heads FOR EACH ROW WHEN (OLD.sequence <> 0) "
    "EXECUTE FUNCTION runway_refuse_head()",
    "CREATE TRIGGER log_heads_keep_all BEFORE TRUNCATE ON log_heads "
    "FOR EACH STATEMENT EXECUTE FUNCTION runway_refuse_head()",
)
MOVE_ASIDE = (
    "ALTER TABLE log_entries RENAME TO log_entries_past",
    "ALTER TABLE log_entries_past RENAME CONSTRAINT pk_log_entries TO pk_log_entries_past",
    "ALTER INDEX ix_log_entries_record RENAME TO ix_log_entries_past_record",
    "ALTER INDEX ix_log_entries_changed RENAME TO ix_log_entries_past_changed",
    "DROP TRIGGER log_entries_keep ON log_entries_past",  # it gets those of the whole
    "DROP TRIGGER log_entries_keep_delete ON log_entries_past",
    "DROP POLICY IF EXISTS runway_firm ON log_entries_past",  # asked by itself, a part shows nothing
    "SELECT runway_guard_log_month('log_entries_past')",
)
WHOLE = (
    "CREATE TABLE log_entries (LIKE log_entries_past) PARTITION BY RANGE (seen_at)",
    "CREATE INDEX ix_log_entries_record ON log_entries (company_id, kind, external_id, sequence)",
    "CREATE INDEX ix_log_entries_changed ON log_entries (company_id, seen_at) WHERE what IN ('updated', 'deleted')",
    "CREATE TRIGGER log_entries_keep BEFORE UPDATE ON log_entries FOR EACH ROW EXECUTE FUNCTION runway_refuse_change()",
    "CREATE TRIGGER log_entries_keep_delete BEFORE DELETE ON log_entries "
    "FOR EACH ROW EXECUTE FUNCTION runway_guard_entry()",
    "CREATE TRIGGER log_entries_keep_all BEFORE TRUNCATE ON log_entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION runway_refuse_change()",
    "CREATE TRIGGER log_entries_follow AFTER INSERT ON log_entries REFERENCING NEW TABLE AS added "
    "FOR EACH STATEMENT EXECUTE FUNCTION runway_follow_head()",
)
GRANTS = """
DO $$ DECLARE serving regrole; BEGIN
  FOR serving IN SELECT DISTINCT a.grantee FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.oid = 'log_entries_past'::regclass AND a.grantee NOT IN (0, c.relowner) LOOP
    EXECUTE format('GRANT SELECT, INSERT ON log_entries TO %s', serving);
    EXECUTE format('REVOKE ALL ON log_entries_past FROM %s', serving);
    EXECUTE format('GRANT EXECUTE ON FUNCTION runway_keep_log_months() TO %s', serving);
  END LOOP;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    for function in (FOLLOW, MONTHS, GUARD, MAKE, MAKE_MONTH, KEEP, REFUSE_HEAD):
        op.execute(function.replace("{schema}", schema))
    op.execute("REVOKE ALL ON FUNCTION runway_keep_log_months() FROM PUBLIC")  # it acts as the owner, the others do not
    bound = _find_bound()
    for statement in (*MOVE_ASIDE, *WHOLE, *HEADS):
        op.execute(statement)
    op.execute(f"ALTER TABLE log_entries ATTACH PARTITION log_entries_past FOR VALUES FROM (MINVALUE) TO ({bound})")
    op.execute(f"ALTER TABLE log_entries_past DROP CONSTRAINT IF EXISTS {BOUND}")
    op.execute("SELECT runway_make_log_part('log_entries_rest', 'DEFAULT')")
    op.execute("SELECT runway_keep_log_months()")
    op.execute(GRANTS)


def _find_bound() -> int:
    """Where the past ends: at the proven bound, else with the newest entry's month, and not before this one begins."""
    proven = op.get_bind().scalar(
        sa.text(
            "SELECT (regexp_match(pg_get_constraintdef(oid), '(\\d{10,})'))[1]::bigint FROM pg_constraint "
            "WHERE conrelid = 'log_entries'::regclass AND convalidated AND conname = :name"
        ),
        {"name": BOUND},
    )
    if proven is not None:
        return int(proven)
    op.execute("ALTER TABLE log_entries NO FORCE ROW LEVEL SECURITY")  # it hides rows from the owner too
    newest = "SELECT max(to_timestamp(seen_at / 1000000.0)) AS seen FROM log_entries"
    month_after = "date_trunc('month', seen AT TIME ZONE 'UTC') + interval '1 month'"
    found = op.get_bind().scalar(
        sa.text(
            f"SELECT {MONTH.format(f'(greatest({month_after}, {THIS_MONTH}))')} FROM ({newest}) n"  # noqa: S608 - our own text
        )
    )
    assert found is not None
    return int(found)


def downgrade() -> None:
    raise NotImplementedError("what lies in months would have to be copied into one table: restore a backup")
