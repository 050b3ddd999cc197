# shellcheck shell=bash
# The folder that holds one pair of engines: where its data are, which ports
# and password it has, and which user its processes run as.
# shellcheck disable=SC2034 # set for those who source this

# open_home DIR: creates DIR if need be and reads what it remembers.
open_home() {
  mkdir -p "$1" 2>/dev/null || die "cannot create $1: run this as the owner of the checkout"
  DIR=$(cd "$1" && pwd -P)
  [[ -w $DIR ]] || die "$DIR belongs to another user: run this as user $(owner_of "$DIR"), or remove that folder"
  PG_PORT='' AMQP_PORT='' API_PORT='' DIST_PORT='' EPMD_PORT='' PASSWORD='' DATA='' TESTS=''
  if [[ -e $DIR/engines.env ]]; then
    [[ -r $DIR/engines.env ]] || die "$DIR/engines.env belongs to another user: run this as user $(owner_of "$DIR/engines.env")"
    # shellcheck source=/dev/null
    . "$DIR/engines.env"
  fi
  DATA=${DATA:-$DIR/engines}
  choose_user
}

save_home() {
  (
    umask 077
    for name in PG_PORT AMQP_PORT API_PORT DIST_PORT EPMD_PORT PASSWORD DATA TESTS; do
      printf '%s=%q\n' "$name" "${!name}"
    done >"$DIR/engines.env.new"
  )
  give_back "$DIR/engines.env.new"
  # Renamed, so that a reader never sees half of it.
  mv -f "$DIR/engines.env.new" "$DIR/engines.env"
}

# PostgreSQL refuses to run as root. Root lends both engines a user: the one
# that the data already have, else the owner of the checkout, else postgres.
choose_user() {
  ENGINE_UID=$EUID
  is_root || return 0
  ENGINE_UID=0
  [[ -d $DATA ]] && ENGINE_UID=$(owner_of "$DATA")
  [[ $ENGINE_UID -ne 0 ]] || ENGINE_UID=$(owner_of "$REPO")
  [[ $ENGINE_UID -ne 0 ]] || ENGINE_UID=$(id -u postgres 2>/dev/null) ||
    ENGINE_UID=$(id -u nobody 2>/dev/null) ||
    die "PostgreSQL does not run as root and there is no user postgres: run this as another user"
  ENGINE_GID=$(getent passwd "$ENGINE_UID" | cut -d: -f4)
  [[ $ENGINE_GID ]] || ENGINE_GID=$ENGINE_UID
}

# as_engine COMMAND…: runs it as the engines' user, under the same process id.
as_engine() {
  if is_root; then
    exec setpriv --reuid "$ENGINE_UID" --regid "$ENGINE_GID" --clear-groups "$@"
  else
    exec "$@"
  fi
}

# place_data: makes $DATA a folder that the engines' user can use.
place_data() {
  local why=''
  # RabbitMQ's own scripts do not quote their paths.
  if [[ $DATA == *[!A-Za-z0-9/._@+-]* ]]; then
    why="RabbitMQ cannot work in a folder with such a name as $DIR"
  else
    mkdir -p "$DATA"
    if is_root; then chown "$ENGINE_UID:$ENGINE_GID" "$DATA"; fi
    chmod 700 "$DATA" 2>/dev/null || true
    if ! (cd / && as_engine test -w "$DATA"); then
      is_root || die "$DATA belongs to another user: run this as user $(owner_of "$DATA"), or remove that folder"
      # A folder above is closed to the engines' user (/root mostly). Opening
      # it up is not ours to do.
      why="user $(id -un "$ENGINE_UID") cannot reach $DIR"
      rmdir "$DATA" 2>/dev/null || true
    fi
  fi
  give_back "$DIR"
  [[ $why ]] || return 0
  DATA=${HOME:-/var/tmp}/.local/state
  if is_root; then DATA=/var/lib; fi
  [[ $DATA != *[!A-Za-z0-9/._@+-]* ]] || DATA=/var/tmp
  mkdir -p "$DATA"
  DATA=$(mktemp -d "$DATA/parlour.XXXXXXXX")
  if is_root; then chown "$ENGINE_UID:$ENGINE_GID" "$DATA"; fi
  say "$why: the engines' data are in $DATA"
}

# ours DIR: "PID NAME" of every engine process that works in DIR or below. The
# names keep a person's shell or editor in there out of it.
ours() {
  local link target exe
  [[ -d /proc/self ]] || return 0
  while IFS=' ' read -r link target; do
    [[ $target == "$1" || $target == "$1"/* ]] || continue
    link=${link%/cwd}
    exe=$(readlink "$link/exe" 2>/dev/null) || continue
    exe=${exe% (deleted)}
    case ${exe##*/} in
      postgres | beam.smp | epmd | erl_child_setup | inet_gethost) echo "${link#/proc/} ${exe##*/}" ;;
    esac
  done < <(find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*' -name cwd -printf '%p %l\n' 2>/dev/null)
}

# sweep DIR: waits for leftovers of a killed engine to end, then ends them.
sweep() {
  local round pid name
  for round in 1 2 3 4 5 6 7 8 9 10 TERM 11 12 13 14 15 KILL; do
    [[ $(ours "$1") ]] || return 0
    case $round in
      TERM | KILL)
        while read -r pid name; do kill "-$round" "$pid" 2>/dev/null || true; done < <(ours "$1")
        ;;
    esac
    sleep 0.2
  done
}
