# shellcheck shell=bash
# Ports: the usual ones unless they are taken, then the next free ones. They
# are remembered, so that addresses survive a restart.

FIRST_SPARE_PORT=5015

# choose_port NAME USUAL RUNNING: sets $NAME. An engine that runs keeps its port.
choose_port() {
  local wish=${!1:-$2} port
  if [[ $3 && ${!1} ]]; then
    TAKEN+=" $wish "
    return 0
  fi
  port=$wish
  local next=$FIRST_SPARE_PORT
  while [[ $TAKEN == *" $port "* ]] || listening "$port"; do
    port=$next
    next=$((next + 1))
    ((next < 32768)) || die "no free port between $FIRST_SPARE_PORT and 32768"
  done
  if [[ ${!1} && ${!1} != "$port" ]]; then
    say "port ${!1} is taken by another program: using $port from now on"
  fi
  TAKEN+=" $port "
  printf -v "$1" %s "$port"
}

# choose_ports POSTGRES_RUNS RABBITMQ_RUNS
choose_ports() {
  TAKEN=' '
  choose_port PG_PORT 5010 "$1"
  choose_port AMQP_PORT 5011 "$2"
  choose_port API_PORT 5012 "$2"
  choose_port DIST_PORT 5013 "$2"
  choose_port EPMD_PORT 5014 "$2"
}
