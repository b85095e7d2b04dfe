# Makes each secret that does not exist yet. The files may be read by all users of the containers that mount the volume,
# because each program there runs as a user of its own.
set -eu
cd /run/puppylog
umask 0222

make() {
    [ -e "$1" ] || printf '%s%s' "$2" "$(od -An -tx1 -N22 /dev/urandom | tr -d ' \n' | cut -c1-43)" > "$1"
}

make db-password ""
make grafana-password ""
make grafana-admin ""
make grafana-token ppl_
[ -e pg_service.conf ] || printf '[puppylog]\nhost=db\ndbname=logs\nuser=puppylog\npassword=%s\n' "$(cat db-password)" > pg_service.conf
