# shellcheck shell=bash
# What every script here uses. Sourced, never run.
# shellcheck disable=SC2034 # set for those who source this

LC_ALL=C
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd -P)
HERE=$REPO/deploy/local

# A shell that is not a login shell (CI, sudo) often lacks cargo's folder.
if ! command -v cargo >/dev/null && [[ -x ${HOME:-/}/.cargo/bin/cargo ]]; then
  PATH=$PATH:$HOME/.cargo/bin
fi

# EPOCHREALTIME is bash 5's; whole seconds have to do before that.
now_ms() {
  local t=${EPOCHREALTIME:-}
  if [[ $t ]]; then
    t=${t/[.,]/}
    echo $((t / 1000))
  else
    echo $((SECONDS * 1000))
  fi
}
BEGAN=$(now_ms)

# Progress goes to stderr: stdout is for answers (`engines env`).
say() {
  local ms=$(($(now_ms) - BEGAN))
  printf '[%3d.%d s] %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*" >&2
}

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

is_root() { [[ $EUID -eq 0 ]]; }

# Files that root writes into a person's checkout should stay that person's.
give_back() {
  if is_root && [[ $(owner_of "$REPO") -ne 0 ]]; then chown "$(owner_of "$REPO")" "$@"; fi
}

owner_of() { stat -c %u "$1" 2>/dev/null || stat -f %u "$1"; }

# What tells one process from a later one with the same id: its start time.
started_at() {
  local stat
  if [[ -d /proc/self ]]; then
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The name in parentheses may hold spaces, so count from its end.
    stat=${stat##*) }
    # A zombie has ended; only its parent has not looked yet.
    [[ $stat != Z* ]] || return 1
    # shellcheck disable=SC2086
    set -- $stat
    echo "${20}"
  else
    ps -o lstart= -p "$1"
  fi
}

# remember FILE PID: writes "PID START".
remember() {
  local start
  start=$(started_at "$2") || return 1
  printf '%s %s\n' "$2" "$start" >"$1.new"
  mv -f "$1.new" "$1"
}

# recall FILE: prints the pid if the process remembered there still lives.
recall() {
  local pid start
  [[ -r $1 ]] && read -r pid start <"$1" || return 1
  [[ ${pid:-} && "$(started_at "$pid" || true)" == "$start" ]] || return 1
  echo "$pid"
}

# wait_gone PID SECONDS
wait_gone() {
  local start end
  start=$(started_at "$1") || return 0
  end=$(($(now_ms) + $2 * 1000))
  while [[ "$(started_at "$1" || true)" == "$start" ]]; do
    (($(now_ms) < end)) || return 1
    sleep 0.05
  done
}

# listening PORT: whether anybody listens there. Reading the kernel's table
# disturbs nobody; connecting would leave warnings in their logs.
listening() {
  if [[ -r /proc/net/tcp ]]; then
    local hex
    printf -v hex ':%04X' "$1"
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
      awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
  else
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
  fi
}

# http_get HOST PORT PATH [USER:PASSWORD]: the answer with its head. A fresh
# Debian has no curl.
http_get() (
  exec 3<>"/dev/tcp/$1/$2" || exit 1
  printf 'GET %s HTTP/1.0\r\nHost: %s:%s\r\n' "$3" "$1" "$2" >&3
  if [[ ${4:-} ]]; then
    printf 'Authorization: Basic %s\r\n' "$(printf %s "$4" | base64 | tr -d '\n')" >&3
  fi
  printf '\r\n' >&3
  # Whoever accepts and then keeps silent must not hold us up.
  while IFS= read -r -t 5 line <&3 || [[ $line ]]; do printf '%s\n' "$line"; done
) 2>/dev/null

# random_hex BYTES
random_hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# with_lock FD FILE TEXT: takes the lock, saying TEXT if it has to wait. It is
# held until this shell and all that inherited FD end. macOS has no flock.
with_lock() {
  command -v flock >/dev/null || return 0
  # A folder can be locked too, and needs no right to write.
  if [[ -d $2 ]]; then
    eval "exec $1<\"\$2\""
  else
    eval "exec $1>>\"\$2\""
    give_back "$2"
  fi
  flock -n "$1" && return 0
  say "$3"
  flock -w 300 "$1" || die "gave up waiting for the lock $2: find its holder with \`fuser $2\`"
}
