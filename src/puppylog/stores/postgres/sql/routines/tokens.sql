-- Tokens of the server's clients. No function returns a hash that its caller does not know. Only the owner of the store
-- may create and revoke tokens, and roles to which this is granted.

CREATE OR REPLACE FUNCTION puppylog.list_tokens()
RETURNS TABLE (id integer, name text, scope text, created_at timestamptz, expires_at timestamptz, revoked_at timestamptz,
               used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT t.id, t.name, t.scope, t.created_at, t.expires_at, t.revoked_at, t.used_at
    FROM puppylog.access_tokens AS t ORDER BY t.name COLLATE "C"
$$;

CREATE OR REPLACE FUNCTION puppylog.find_tokens(hashes text[])
RETURNS TABLE (hash text, id integer, name text, scope text, created_at timestamptz, expires_at timestamptz,
               revoked_at timestamptz, used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT t.hash, t.id, t.name, t.scope, t.created_at, t.expires_at, t.revoked_at, t.used_at
    FROM puppylog.access_tokens AS t WHERE t.hash = ANY (hashes)
$$;

-- Stores a token in place of a revoked or expired one of its name. Returns whether it is stored: another token of its
-- name may be neither revoked nor expired.
CREATE OR REPLACE FUNCTION puppylog.create_token(new_name text, new_hash text, new_scope text, new_expires_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    DELETE FROM puppylog.access_tokens AS t
    WHERE t.name = new_name AND t.hash <> new_hash AND (t.revoked_at IS NOT NULL OR t.expires_at <= now());
    INSERT INTO puppylog.access_tokens (id, name, hash, scope, created_at, expires_at)
    VALUES (nextval('puppylog.ids'), new_name, new_hash, new_scope, now(), new_expires_at)
    ON CONFLICT DO NOTHING;
    RETURN EXISTS (SELECT FROM puppylog.access_tokens AS t WHERE t.name = new_name AND t.hash = new_hash);
END
$$;

-- Returns whether the token was not revoked before; null if there is no such token.
CREATE OR REPLACE FUNCTION puppylog.revoke_token(its_name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    UPDATE puppylog.access_tokens AS t SET revoked_at = now() WHERE t.name = its_name AND t.revoked_at IS NULL;
    IF FOUND THEN
        RETURN true;
    END IF;
    RETURN (SELECT false FROM puppylog.access_tokens AS t WHERE t.name = its_name);
END
$$;

-- Stores that these tokens are used now, to the minute. The next use is noted in a minute, so this need not wait for the
-- disk. The setting is only for this transaction.
CREATE OR REPLACE FUNCTION puppylog.note_token_uses(ids integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE puppylog.access_tokens AS t SET used_at = date_trunc('minute', now())
    WHERE t.id = ANY (ids) AND t.used_at IS DISTINCT FROM date_trunc('minute', now());
END
$$;
