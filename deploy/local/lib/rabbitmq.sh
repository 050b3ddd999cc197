# shellcheck shell=bash
# A private RabbitMQ node in $DATA/rabbit, with its own epmd.

# rabbit_sbin: where the server's own scripts are. Not the wrappers in PATH:
# Debian's insist on the user rabbitmq and on its folders.
rabbit_sbin() {
  local dir
  for dir in /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin /opt/rabbitmq/sbin \
    /opt/homebrew/opt/rabbitmq/sbin /usr/local/opt/rabbitmq/sbin; do
    if [[ -x $dir/rabbitmq-server ]]; then
      (cd "$dir" && pwd -P)
      return 0
    fi
  done
  return 1
}

find_epmd() {
  local file
  for file in "$(command -v epmd || true)" /usr/lib*/erlang/erts-*/bin/epmd /usr/lib*/erlang/bin/epmd \
    /opt/homebrew/bin/epmd /usr/local/bin/epmd; do
    if [[ -x $file ]]; then
      echo "$file"
      return 0
    fi
  done
  return 1
}

rabbit_log() { echo "$DATA/rabbit/log/parlour@localhost.log"; }

# The server looks into every plugin's folder for every module it loads. With
# only those that the management plugin needs it starts in two thirds of the time.
rabbit_plugins() {
  local from=$1 to=$2 plugin name
  local needed=' ' wanted='rabbit rabbitmq_management'
  while [[ $wanted ]]; do
    name=${wanted%% *}
    wanted=${wanted#"$name"}
    wanted=${wanted# }
    [[ $needed != *" $name "* ]] || continue
    needed+="$name "
    for plugin in "$from/$name"-*/ebin/"$name".app; do
      [[ -r $plugin ]] || continue
      wanted+=" $(tr -d ' \n\t' <"$plugin" | sed -nE 's/.*\{applications,\[([^]]*)\].*/\1/p' | tr ',' ' ')"
      wanted=${wanted# }
    done
  done
  for plugin in "$from"/*; do
    name=${plugin##*/}
    name=${name%%-*}
    # Only optional plugins are left out: a library may be needed unannounced.
    if [[ $name != rabbitmq_* || $needed == *" $name "* ]]; then ln -s "$plugin" "$to/"; fi
  done
}

# rabbit_layout SBIN: everything the node reads, written anew at every start.
rabbit_layout() {
  local home=$DATA/rabbit
  mkdir -p "$home/mnesia" "$home/log"
  # The scripts take the folder above their own as the server's home.
  rm -rf "$home/server"
  mkdir -p "$home/server/plugins"
  ln -s "$1" "$home/server/sbin"
  ln -s "$1/../escript" "$home/server/escript"
  rabbit_plugins "$(cd "$1/../plugins" && pwd -P)" "$home/server/plugins"
  echo '[rabbitmq_management].' >"$home/enabled_plugins"
  : >"$home/env.conf"
  (
    umask 077
    cat >"$home/rabbitmq.conf" <<CONF
# Written at every start by deploy/local/engines.
listeners.tcp.1 = 127.0.0.1:$AMQP_PORT
management.tcp.ip = 127.0.0.1
management.tcp.port = $API_PORT
default_user = parlour
default_pass = $PASSWORD
loopback_users = none
# A write-ahead log of the default 512 MB only costs memory and disk here.
raft.wal_max_size_bytes = 67108864
disk_free_limit.absolute = 50MB
CONF
    [[ -e $home/.erlang.cookie ]] || random_hex 16 >"$home/.erlang.cookie"
  )
  chmod 400 "$home/.erlang.cookie"
  trim_log "$(rabbit_log)"
  rm -f "$home/log/startup.log"
  if is_root; then chown -hR "$ENGINE_UID:$ENGINE_GID" "$home"; fi
}

rabbit_environment() {
  local home=$DATA/rabbit name
  # Settings of another node in the caller's environment must not leak in.
  for name in $(compgen -e RABBITMQ_) ERL_LIBS ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS; do unset "$name"; done
  export HOME=$home
  export ERL_EPMD_PORT=$EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_NODENAME=parlour@localhost RABBITMQ_DIST_PORT=$DIST_PORT
  export RABBITMQ_SCRIPTS_DIR=$home/server/sbin RABBITMQ_PLUGINS_DIR=$home/server/plugins
  export RABBITMQ_CONFIG_FILE=$home/rabbitmq.conf RABBITMQ_CONF_ENV_FILE=$home/env.conf
  export RABBITMQ_ADVANCED_CONFIG_FILE=$home/advanced.config RABBITMQ_CONFIG_FILES=$home/conf.d
  export RABBITMQ_ENABLED_PLUGINS_FILE=$home/enabled_plugins
  export RABBITMQ_MNESIA_BASE=$home/mnesia RABBITMQ_LOG_BASE=$home/log
  export ERL_CRASH_DUMP_BYTES=0
  # Makes the script become the server instead of waiting for it as a child.
  export RUNNING_UNDER_SYSTEMD=true
  # The statistics collector ignores its order to stop for 5 s; 2 s are enough
  # for what has something to save.
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +P 131072 +sbwt none +sbwtdcpu none +sbwtdio none \
-kernel inet_dist_use_interface {127,0,0,1} -kernel shutdown_timeout 2000"
}

# rabbit_spawn PIDFILE COMMAND…: a daemon of the engines' user in $DATA/rabbit.
rabbit_spawn() {
  local file=$1 pid
  shift
  (
    cd "$DATA/rabbit" || exit
    rabbit_environment
    # No terminal, or Ctrl-C at the caller's would end the node.
    if command -v setsid >/dev/null; then as_engine setsid "$@"; else as_engine nohup "$@"; fi
  ) </dev/null >>"$DATA/rabbit/log/startup.log" 2>&1 8>&- 9>&- &
  pid=$!
  # Its end is told by us, not by the shell.
  disown "$pid"
  remember "$file" "$pid" || true
}

rabbit_pid() { recall "$DATA/rabbit/pid"; }

epmd_pid() { recall "$DATA/rabbit/epmd.pid"; }

rabbit_answers() {
  listening "$AMQP_PORT" && [[ $(http_get 127.0.0.1 "$API_PORT" /api/whoami "parlour:$PASSWORD") == HTTP/1.?' 200 '* ]]
}

rabbit_start() {
  local sbin epmd end home=$DATA/rabbit fresh=''
  sbin=$(rabbit_sbin) || die "RabbitMQ is not installed: run deploy/local/install"
  epmd=$(find_epmd) || die "Erlang's epmd is not installed: run deploy/local/install"
  if ! rabbit_pid >/dev/null; then
    # A first start that was cut short may lack the user: begin again.
    [[ -e $home/complete ]] || rm -rf "$home/mnesia"
    rabbit_layout "$sbin"
    fresh=1
  fi
  if ! epmd_pid >/dev/null; then
    rabbit_spawn "$home/epmd.pid" "$epmd" -address 127.0.0.1 -port "$EPMD_PORT"
    # Where it finds none, the server would start an epmd of its own that nobody stops.
    for _ in {1..50}; do
      listening "$EPMD_PORT" && break
      sleep 0.05
    done
  fi
  [[ ! $fresh ]] || rabbit_spawn "$home/pid" "$home/server/sbin/rabbitmq-server"
  end=$(($(now_ms) + 90000))
  until rabbit_answers; do
    if ! rabbit_pid >/dev/null || (($(now_ms) >= end)); then
      tail -n 15 "$home/log/startup.log" >&2
      die "RabbitMQ did not start, see above and $(rabbit_log); if the data are of no use, drop them with \`make clean-data\`"
    fi
    sleep 0.1
  done
  [[ -e $home/complete ]] || : >"$home/complete"
  [[ ! $fresh ]] || say "RabbitMQ: ready on 127.0.0.1:$AMQP_PORT, management on 127.0.0.1:$API_PORT"
}

# rabbit_reap: ends what a node that is gone has left behind.
rabbit_reap() {
  local pid
  if pid=$(epmd_pid); then kill "$pid" 2>/dev/null || true; fi
  sweep "$DATA/rabbit"
}

rabbit_stop() {
  local pid signal=TERM
  [[ -z $TESTS ]] || signal=KILL
  if pid=$(rabbit_pid); then
    kill "-$signal" "$pid"
    wait_gone "$pid" 40 || kill -KILL "$pid"
    say "RabbitMQ: stopped"
  fi
  rabbit_reap
}
