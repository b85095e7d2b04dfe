# Creates the login of Grafana as docs/grafana.md says, or gives an existing one the same password again.
set -eu
PGPASSWORD="$(cat /run/puppylog/db-password)"
export PGPASSWORD
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host "${PGHOST:-db}" --username puppylog --dbname logs \
    --set password="$(cat /run/puppylog/grafana-password)" <<'SQL'
SELECT 'CREATE ROLE grafana LOGIN IN ROLE puppylog_reader' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana') \gexec
ALTER ROLE grafana PASSWORD :'password';
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
SQL
