# shellcheck shell=bash
# The development server: one process with all services, in the background.

# shellcheck source=node.sh
. "$(dirname "${BASH_SOURCE[0]}")/node.sh"

LOCAL=$REPO/.local
PIDFILE=$LOCAL/parlour.pid
LOGFILE=$LOCAL/log/parlour.log
PROFILE=${PARLOUR_PROFILE:-dev}
case $PROFILE in
  dev) folder=debug ;;
  *) folder=$PROFILE ;;
esac
BINARY=${CARGO_TARGET_DIR:-$REPO/target}/$folder/parlour

export PARLOUR_CONFIG=$LOCAL/parlour.toml
export PARLOUR__GATEWAY__LISTEN=${PARLOUR__GATEWAY__LISTEN:-127.0.0.1:5000}
export PARLOUR__GATEWAY__INTERNAL_LISTEN=${PARLOUR__GATEWAY__INTERNAL_LISTEN:-127.0.0.1:5001}
export PARLOUR__CHAT__SOCKETS__LISTEN=${PARLOUR__CHAT__SOCKETS__LISTEN:-127.0.0.1:5002}
# Where the gateway finds them.
export PARLOUR__GATEWAY__UPSTREAMS__SOCKETS=${PARLOUR__GATEWAY__UPSTREAMS__SOCKETS:-http://$PARLOUR__CHAT__SOCKETS__LISTEN}

# Elsewhere than where the defaults have it, files are sent to the gateway and fetched from it there.
if [[ $PARLOUR__GATEWAY__LISTEN != 127.0.0.1:5000 ]]; then
  url=http://${PARLOUR__GATEWAY__LISTEN/#0.0.0.0:/127.0.0.1:}
  export PARLOUR__CHAT__PUBLIC_URL=${PARLOUR__CHAT__PUBLIC_URL:-$url} PARLOUR__CHAT__MEDIA_URL=${PARLOUR__CHAT__MEDIA_URL:-$url}
  export PARLOUR__MEDIA__PUBLIC_URL=${PARLOUR__MEDIA__PUBLIC_URL:-$url}
fi

# The official client of Socket.IO, for the demonstration and for the page under /demo. It is
# installed beside a copy of what names it, so that the checkout stays as it is.
DEMO=$LOCAL/demo
export PARLOUR__GATEWAY__DEMO_CLIENT=${PARLOUR__GATEWAY__DEMO_CLIENT-$DEMO/node_modules/socket.io-client/dist/socket.io.esm.min.js}

# official_client: puts it there unless that version is.
official_client() { stage_node "$REPO/tests/demo" "$DEMO"; }

# prepare: everything up to a built binary.
prepare() {
  local engines built=0
  "$HERE/install" 8>&-
  # The broker takes seconds of which most is waiting.
  "$HERE/engines" start 8>&- &
  engines=$!
  say "building parlour (profile $PROFILE)"
  (cd "$REPO" && cargo build --bin parlour --locked --profile "$PROFILE" </dev/null 8>&-) || built=$?
  # What it had to say stands far above by now: it says it again.
  wait "$engines" || "$HERE/engines" start 8>&-
  ((built == 0)) || exit "$built"
  "$HERE/config" 8>&-
  [[ -x $BINARY ]] || die "cargo build did not make $BINARY"
}

migrate() {
  say "migrating the database"
  (cd "$REPO" && "$BINARY" migrate </dev/null 8>&-) ||
    die "the migration failed, see above"
}

server_pid() { recall "$PIDFILE"; }

# What the running server was made of: the file that was built, the settings.
# A rebuild replaces the file, which changes its inode or its time.
fingerprint() {
  local file
  for file in "$BINARY" "$PARLOUR_CONFIG"; do
    stat -c '%n %i %Y %s' "$file" 2>/dev/null || stat -f '%N %i %m %z' "$file"
  done
  env | grep '^PARLOUR_' | sort
}

server_start() {
  local pid
  mkdir -p "$LOCAL/log"
  if [[ -f $LOGFILE && $(wc -c <"$LOGFILE") -gt 10000000 ]]; then mv -f "$LOGFILE" "$LOGFILE.1"; fi
  (
    cd "$REPO" || exit
    # No terminal, or Ctrl-C there would end the server too.
    if command -v setsid >/dev/null; then exec setsid "$BINARY" run; else exec nohup "$BINARY" run; fi
  ) </dev/null >>"$LOGFILE" 2>&1 8>&- &
  pid=$!
  remember "$PIDFILE" "$pid" || true
  # It holds the engines' password.
  (umask 077 && fingerprint >"$LOCAL/parlour.run")
}

# server_stop: SIGTERM, so that requests in flight and messages finish.
server_stop() {
  local pid
  pid=$(server_pid) || return 0
  kill -TERM "$pid"
  if wait_gone "$pid" 30; then
    say "parlour: stopped"
  else
    kill -KILL "$pid" 2>/dev/null || true
    say "parlour: killed, it did not stop within 30 s (its last lines are in $LOGFILE)"
  fi
  rm -f "$PIDFILE"
}

health() {
  local answer
  answer=$(http_get "${PARLOUR__GATEWAY__LISTEN%:*}" "${PARLOUR__GATEWAY__LISTEN##*:}" /health) || return 1
  [[ $answer == HTTP/1.?' 200 '* && ${answer//[[:space:]]/} == *'"status":"healthy"'* ]]
}
