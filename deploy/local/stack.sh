#!/usr/bin/env bash
# The real components around the platform, on this machine: Apache Kafka, Redis and ClickHouse.
#
#   stack.sh start | status | stop
#
# Each is a script of its own beside this one, which names its settings. One that fails does not keep the others from
# starting; the exit code tells. ClickHouse is not started where CLICKHOUSE_URL names another one, or is empty: none.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
components=(kafka redis clickhouse)
services=${VIRAL_HOME:-.viral}/services

# The address is told without the password that it may have.
is_elsewhere() {
    [ "$1" = clickhouse ] && [ -n "${CLICKHOUSE_URL+set}" ] || return 1
    local host=${CLICKHOUSE_URL#*//}
    if [ -n "$CLICKHOUSE_URL" ]; then
        echo "clickhouse: CLICKHOUSE_URL is set: ${host##*@} is used, and none is started" >&2
    else
        echo "clickhouse: CLICKHOUSE_URL is empty, so there is none" >&2
    fi
}

each() {
    local component status=0
    for component in "${components[@]}"; do
        if [ "$1" = start ] && is_elsewhere "$component"; then continue; fi
        "$here/$component.sh" "$1" || status=1
    done
    return "$status"
}

# What the platform finds by itself from this home, and how to tell it elsewhere.
next_steps() {
    local component variable value
    echo "Next:"
    echo "  make run                      starts the platform, which finds what runs here by $services"
    echo "  make stack-status             tells what runs"
    echo "  make stack-stop               stops it; its data stays"
    echo "From elsewhere:"
    for component in "${components[@]}"; do
        [ -r "$services/$component" ] || continue
        [ "$component" != clickhouse ] || [ -z "${CLICKHOUSE_URL+set}" ] || continue
        case $component in
        kafka) variable=KAFKA_BROKERS ;;
        *) variable=${component^^}_URL ;;
        esac
        value=$(<"$services/$component")
        # A password is for who may read the file, not for whoever reads this.
        [[ $value != *@* ]] || value="\$(cat '$(realpath "$services/$component")')"
        echo "  export $variable=$value"
    done
}

case "$#${1:-}" in
1start)
    status=0
    each start || status=1
    [ "$status" = 0 ] || echo "stack: not everything runs: see above" >&2
    next_steps
    exit "$status"
    ;;
1status | 1stop) each "$1" ;;
*)
    echo "usage: $0 start | status | stop" >&2
    exit 2
    ;;
esac
