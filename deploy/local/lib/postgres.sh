# shellcheck shell=bash
# A private PostgreSQL in $DATA/pg.

# pg_bin MAJOR: prints the newest installed bin folder, or MAJOR's. Debian and
# Fedora keep the server's programs out of PATH.
pg_bin() {
  local dir best='' major best_major=0
  for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin \
    /usr/local/opt/postgresql@*/bin "$(dirname "$(command -v initdb || echo /nowhere/initdb)")" /usr/bin; do
    [[ -x $dir/initdb && -x $dir/postgres && -x $dir/pg_ctl ]] || continue
    major=$("$dir/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
    if [[ $major == "${1:-}" ]]; then
      echo "$dir"
      return 0
    fi
    if ((major > best_major)); then best=$dir best_major=$major; fi
  done
  [[ -z ${1:-} && $best ]] && ((best_major >= 13)) && echo "$best"
}

pg_log() { echo "$DATA/postgres.log"; }

# Prints the postmaster's pid when it is alive and works in our folder: the
# pid file alone may be stale and its number another program's by now.
pg_pid() {
  local pid
  [[ -r $DATA/pg/postmaster.pid ]] && read -r pid <"$DATA/pg/postmaster.pid" || return 1
  [[ ${pid:-} ]] && kill -0 "$pid" 2>/dev/null || return 1
  [[ ! -d /proc/self || $(readlink "/proc/$pid/cwd") == "$DATA/pg" ]] && echo "$pid"
}

pg_check_version() {
  local version
  [[ -d $DATA/pg ]] || return 0
  version=$(cat "$DATA/pg/PG_VERSION" 2>/dev/null) ||
    die "$DATA/pg is not a PostgreSQL data folder: drop the data with \`make clean-data\`"
  pg_bin "$version" >/dev/null ||
    die "the data in $DATA/pg are PostgreSQL $version's, which is not installed: install it, or drop the data with \`make clean-data\`"
}

# Into a temporary folder, renamed when whole: a killed initdb leaves no half.
pg_init() {
  local bin new locale=C
  rm -rf "$DATA"/pg.new.*
  [[ ! -d $DATA/pg ]] || return 0
  say "PostgreSQL: creating the data folder"
  bin=$(pg_bin)
  new=$(cd / && as_engine mktemp -d "$DATA/pg.new.XXXXXX")
  # Sorts by code point everywhere, and still knows upper and lower case.
  if locale -a 2>/dev/null | grep -qiE '^C\.utf-?8$'; then locale=C.UTF-8; fi
  (
    cd "$DATA"
    umask 077
    printf '%s\n' "$PASSWORD" >"$new.password"
    if is_root; then chown "$ENGINE_UID" "$new.password"; fi
    as_engine "$bin/initdb" --pgdata "$new" --username parlour --pwfile "$new.password" \
      --auth scram-sha-256 --encoding UTF8 --locale "$locale" ${TESTS:+--no-sync}
  ) >"$new.log" 2>&1 || {
    cat "$new.log" >&2
    die "initdb failed, see above"
  }
  echo "include_if_exists = 'parlour.conf'" >>"$new/postgresql.conf"
  (
    cd "$DATA"
    echo 'CREATE DATABASE parlour' | as_engine "$bin/postgres" --single -D "$new" template1
  ) >>"$new.log" 2>&1 || {
    cat "$new.log" >&2
    die "cannot create the database, see above"
  }
  rm -f "$new.password" "$new.log"
  mv "$new" "$DATA/pg"
}

pg_settings() {
  local run=$DATA/run
  mkdir -p "$run"
  # A socket's path may have 107 bytes; a deep checkout does without.
  ((${#run} < 90)) || run=''
  cat <<CONF
# Written at every start by deploy/local/engines.
port = $PG_PORT
listen_addresses = '127.0.0.1'
unix_socket_directories = '${run//\'/\'\'}'
max_connections = 300
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %a '
CONF
  if [[ $TESTS ]]; then
    # Throw-away data: nothing here has to survive a power cut.
    printf '%s\n' 'fsync = off' 'synchronous_commit = off' 'full_page_writes = off' 'max_wal_size = 4GB'
  fi
}

pg_start() {
  local bin pid
  if ! pid=$(pg_pid); then
    pg_init
    # Nothing works in the folder any more, so the files that say so are stale.
    # PostgreSQL would refuse them when their number is another program's by
    # now, or that of a zombie which a container never buries.
    rm -rf "$DATA/pg/postmaster.pid" "$DATA/run"
    pg_settings >"$DATA/pg/parlour.conf"
    if is_root; then chown -R "$ENGINE_UID:$ENGINE_GID" "$DATA/run" "$DATA/pg/parlour.conf"; fi
    trim_log "$(pg_log)"
  fi
  bin=$(pg_bin "$(cat "$DATA/pg/PG_VERSION")")
  if [[ ! $pid ]]; then
    (cd "$DATA" && as_engine "$bin/pg_ctl" start --silent --wait --timeout 60 \
      --pgdata "$DATA/pg" --log "$(pg_log)" </dev/null >/dev/null 2>&1 8>&- 9>&-) || {
      tail -n 15 "$(pg_log)" >&2
      die "PostgreSQL did not start, see above and $(pg_log)"
    }
    say "PostgreSQL: ready on 127.0.0.1:$PG_PORT"
  fi
}

pg_stop() {
  local pid signal=INT
  # Throw-away data need no last checkpoint.
  [[ -z $TESTS ]] || signal=QUIT
  if pid=$(pg_pid); then
    kill "-$signal" "$pid"
    wait_gone "$pid" 30 || kill -KILL "$pid"
    say "PostgreSQL: stopped"
  fi
  sweep "$DATA/pg"
}
