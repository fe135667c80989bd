#!/usr/bin/env bash
# Redis on this machine: the system's redis-server, with data and settings of our own.
#
#   redis.sh start [--no-wait] | wait | status | stop
#
# Settings: VIRAL_HOME (.viral), REDIS_PORT (6379).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # service.sh uses them
{
    name=redis
    title=Redis
    program=redis-server
    ready="Ready to accept connections"
    usage="start [--no-wait] | wait | status | stop"
    settings="REDIS_PORT=..."
    port=${REDIS_PORT:-6379}
    ports=("$port")
    address=redis://127.0.0.1:$port
}
# shellcheck source=deploy/local/service.sh
source "$here/service.sh"

prepare() {
    command -v redis-server >/dev/null || fail "redis-server is not installed (deploy/local/setup.sh stack)"
}

# deploy/compose.yaml says the same for the official image: change both.
serve() {
    exec setsid redis-server --bind 127.0.0.1 --port "$port" --protected-mode yes --appendonly yes --dir . --daemonize no
}

service "$@"
