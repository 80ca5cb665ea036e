# What scripts share that need a PostgreSQL server of their own: Debian's, on a free port of loopback, in the folder $work/pg, with more
# settings in postgres_options.
# shellcheck shell=bash disable=SC2154
postgres_port='' postgres_data="$work/pg"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
as_postgres() { if ((EUID == 0)); then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi; }
postgres_bin() { find /usr/lib/postgresql -maxdepth 2 -name bin -type d 2>/dev/null | sort -V | tail -n 1; }

# A cluster that is as durable as one in production, fsync stays on, with the database idp.
start_postgres() {
  local bin
  bin=$(postgres_bin)
  if [[ ! $postgres_port ]]; then
    [[ $bin ]] || { echo "This needs PostgreSQL: run 'make setup'." >&2; exit 2; }
    postgres_port=$(free_port)
    chmod 711 "$work"
    mkdir -p "$postgres_data"
    if ((EUID == 0)); then chown postgres "$postgres_data"; fi
    as_postgres "$bin/initdb" -D "$postgres_data" -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1
  fi
  as_postgres "$bin/pg_ctl" -D "$postgres_data" -l "$postgres_data/log" -w -t 60 \
    -o "-p $postgres_port -k $postgres_data -c listen_addresses=127.0.0.1 ${postgres_options:-}" start >/dev/null
  [[ $(psql_do postgres -tAc "SELECT 1 FROM pg_database WHERE datname = 'idp'") ]] || psql_do postgres -c 'CREATE DATABASE idp'
}

# stop_postgres fast|immediate
stop_postgres() {
  [[ $postgres_port && -f $postgres_data/postmaster.pid ]] || return 0
  thaw_postgres
  as_postgres "$(postgres_bin)/pg_ctl" -D "$postgres_data" -m "$1" -w stop >/dev/null
}

# freeze_postgres, thaw_postgres: it neither answers nor closes a connection, as when the network to it drops every packet.
freeze_postgres() { signal_postgres STOP; }
thaw_postgres() { signal_postgres CONT; }
signal_postgres() {
  local postmaster
  postmaster=$(head -n 1 "$postgres_data/postmaster.pid")
  kill -s "$1" "$postmaster"
  pkill -"$1" -P "$postmaster" || true
}
psql_do() { local database=$1; shift; psql -X -q -h 127.0.0.1 -p "$postgres_port" -U postgres -d "$database" "$@"; }
