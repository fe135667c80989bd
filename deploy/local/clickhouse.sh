#!/usr/bin/env bash
# ClickHouse on this machine: the server where one is installed, else its engine behind its HTTP interface, without Docker.
#
#   clickhouse.sh start [--no-wait] | wait | status | stop
#   clickhouse.sh try                 start if this machine can, and succeed either way
#   clickhouse.sh install             only fetches the engine, once per user; nothing where a server is installed
#   clickhouse.sh python ARGUMENTS    the Python that has the engine, such as for the tests beside its server
#
# Settings: VIRAL_HOME (.viral), CLICKHOUSE_PORT (8123), CLICKHOUSE_PASSWORD of the user default and
# CLICKHOUSE_READER_PASSWORD of the user reader (both empty), VIRAL_CLICKHOUSE=engine (even where a server is installed).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # service.sh uses them
{
    name=clickhouse
    title=ClickHouse
    # Of both: where the data is. The formats on disk are not mixed, so each has a folder of its own.
    program=clickhouse/data-
    ready="Ready for connections"
    usage="start [--no-wait] | wait | status | stop | try | install | python ARGUMENTS"
    settings="CLICKHOUSE_PORT=..."
    port=${CLICKHOUSE_PORT:-8123}
    ports=("$port")
    # Every byte of the password encoded, so that none of them ends it.
    login=${CLICKHOUSE_PASSWORD:+default:$(printf %s "${CLICKHOUSE_PASSWORD:-}" | od -An -v -tx1 | tr -d '\n' | tr ' ' %)@}
    address=http://${login}127.0.0.1:$port
}
# shellcheck source=deploy/local/service.sh
source "$here/service.sh"

pins=$here/clickhouse/requirements.txt
engine=$(sed -n 's/^chdb-core==//p' "$pins")

# Sets server to the command of an installed server, or to nothing.
find_server() {
    server=()
    [ "${VIRAL_CLICKHOUSE:-}" != engine ] || return 0
    if command -v clickhouse-server >/dev/null; then
        server=(clickhouse-server)
    elif clickhouse server --help >/dev/null 2>&1; then
        server=(clickhouse server)
    fi
}

has_python() { python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

# Sets venv. The sum names it: it never changes once it is there, even under a process that runs from it.
find_venv() {
    local sum
    sum=$({ cat "$pins" && python3 -c 'import sys; print(sys.version_info[:2], sys.executable)'; } | cksum) \
        || fail "python3 does not run: Python 3.10 or newer is needed (deploy/local/setup.sh stack)"
    venv=${XDG_CACHE_HOME:-$HOME/.cache}/viral-engine/clickhouse-$engine-${sum%% *}
}

install_engine() {
    find_venv
    [ ! -d "$venv" ] || return 0
    has_python || fail "Python 3.10 or newer with venv is needed (deploy/local/setup.sh stack)"
    mkdir -p "$(dirname "$venv")"
    (
        flock 8
        [ -d "$venv" ] || fetch
    ) 8>"$venv.lock"
}

# The environment gets its name when it is whole; only its Python is used, which does not mind the move.
fetch() {
    local partial=$venv.partial
    say "fetching ClickHouse's engine $engine by pip into $venv (0.6 GB)"
    rm -rf "$partial"
    # Without dependencies: the engine's package names some that are large and not needed here.
    if ! python3 -m venv "$partial" >&2 \
        || ! "$partial/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
            -r "$pins" >&2 </dev/null \
        || ! "$partial/bin/python" -c 'import chdb, clickhouse_cityhash.cityhash, lz4.block, lz4.frame'; then
        rm -rf "$partial"
        fail "the engine could not be fetched: Python 3.10 or newer with venv and pip, and the network, are needed, once"
    fi
    mv "$partial" "$venv"
}

prepare() {
    find_server
    [ ${#server[@]} != 0 ] || install_engine
}

serve() {
    export CLICKHOUSE_PASSWORD=${CLICKHOUSE_PASSWORD:-} CLICKHOUSE_READER_PASSWORD=${CLICKHOUSE_READER_PASSWORD:-}
    if [ ${#server[@]} != 0 ]; then
        # Without its watchdog, which would be a second process.
        export CLICKHOUSE_WATCHDOG_ENABLE=0
        exec setsid "${server[@]}" --config-file="$here/clickhouse/config.xml" -- \
            --http_port="$port" --path="$folder/data-server/"
    fi
    exec setsid "$venv/bin/python" -B "$here/clickhouse/server.py" --port "$port" --data "$folder/data-engine"
}

case ${1:-} in
install)
    [ $# = 1 ] || service usage
    find_server
    if [ ${#server[@]} != 0 ]; then
        say "the installed server is used (${server[*]})"
    else
        install_engine
        say "ClickHouse's engine $engine is in $venv"
    fi
    ;;
try)
    [ $# = 1 ] || service usage
    find_server
    if [ -n "${CLICKHOUSE_URL+set}" ]; then
        say "CLICKHOUSE_URL is set, so none is started"
    elif [ ${#server[@]} = 0 ] && ! has_python; then
        say "going on without ClickHouse, which needs Python 3.10 or newer with venv (deploy/local/setup.sh stack)"
    elif ! "${BASH_SOURCE[0]}" start; then
        say "going on without ClickHouse"
    fi
    ;;
python)
    [ $# -ge 2 ] || service usage
    install_engine
    exec "$venv/bin/python" -B "${@:2}"
    ;;
*) service "$@" ;;
esac
