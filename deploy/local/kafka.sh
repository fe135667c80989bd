#!/usr/bin/env bash
# Apache Kafka on this machine, a single node without Docker: the publishers' jars, run by an installed Java.
#
#   kafka.sh start [--no-wait] | wait | status | stop
#   kafka.sh install                  only fetches the jars, once per user
#   kafka.sh tool CLASS ARGUMENTS     one of Kafka's own tools, such as org.apache.kafka.tools.TopicCommand
#
# Settings: VIRAL_HOME (.viral), KAFKA_PORT (9092), KAFKA_CONTROLLER_PORT (the next: 9093), KAFKA_HEAP_OPTS, JAVA_HOME.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # service.sh uses them
{
    name=kafka
    title="Apache Kafka"
    program=kafka.Kafka
    ready="Kafka Server started"
    usage="start [--no-wait] | wait | status | stop | install | tool CLASS ARGUMENTS"
    settings="KAFKA_PORT=... KAFKA_CONTROLLER_PORT=..."
    port=${KAFKA_PORT:-9092}
    controller_port=${KAFKA_CONTROLLER_PORT:-$((${port//[!0-9]/} + 1))}
    [ "$controller_port" != 65536 ] || controller_port=65534
    ports=("$port" "$controller_port")
    address=127.0.0.1:$port
}
# shellcheck source=deploy/local/service.sh
source "$here/service.sh"

pom=$here/kafka/pom.xml
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$pom")
# The sum names the folder too: it never changes once it is there, even under a broker that runs from it.
jars=${XDG_CACHE_HOME:-$HOME/.cache}/viral-engine/kafka-$version-$(cksum <"$pom" | cut -d ' ' -f 1)
copy_jars=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies

# Sets java, and archive: the place of the classes that were loaded before, which halves the time of a start.
find_java() {
    local said
    java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    said=$("$java" -version 2>&1) || fail "$java does not run: Java 17 or newer is needed (deploy/local/setup.sh stack)"
    if ! [[ $said =~ version\ \"([0-9]+) ]] || [ "${BASH_REMATCH[1]}" -lt 17 ]; then
        fail "$java is too old, Java 17 or newer is needed (deploy/local/setup.sh stack): ${said%%$'\n'*}"
    fi
    archive=$jars/classes-$(cksum <<<"$said" | cut -d ' ' -f 1).jsa
    quick=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1)
    # Java leaves one aside that does not fit or was altered, but it cannot bear one that was cut off.
    with_archive=()
    is_whole || return 0
    with_archive=(-XX:SharedArchiveFile="$archive" -Xshare:auto -XX:+VerifySharedSpaces '-Xlog:cds*=off')
}

is_whole() { [ -e "$archive.size" ] && [ "$(wc -c <"$archive")" = "$(<"$archive.size")" ]; } 2>/dev/null

broker() {
    read -r -a heap <<<"${KAFKA_HEAP_OPTS:--Xms256m -Xmx512m}"
    exec "$@" "${heap[@]}" "${quick[@]}" -Dlog4j2.configurationFile="$here/kafka/log4j2.properties" \
        -cp "$jars/*" kafka.Kafka server.properties
}

install() {
    find_java
    mkdir -p "$(dirname "$jars")"
    (
        flock 8
        [ -d "$jars" ] || fetch
        is_whole || [ -e "$archive.failed" ] || train
    ) 8>"$jars.lock"
    # There may be an archive now.
    find_java
}

fetch() {
    local partial=$jars.partial said
    say "fetching Apache Kafka $version by Maven into $jars"
    rm -rf "$partial"
    if ! said=$(mvn --batch-mode --no-transfer-progress -Dstyle.color=never -f "$pom" "$copy_jars" \
        -DincludeScope=runtime -DoutputDirectory="$partial" 2>&1 </dev/null); then
        grep ERROR <<<"$said" >&2 || echo "$said" >&2
        fail "the jars could not be fetched: Maven (deploy/local/setup.sh stack) and the network are needed, once"
    fi
    [ -e "$partial/kafka_2.13-$version.jar" ] || fail "Maven did not bring kafka_2.13-$version.jar"
    mv "$partial" "$jars"
}

# A first life of a broker, in a folder that is thrown away, at whose end Java writes down the classes that it loaded.
# Without the archive everything works too, only slower.
train() {
    local scratch pid deadline=$((SECONDS + patience))
    scratch=$(mktemp -d)
    say "preparing quick starts"
    (
        cd "$scratch"
        configure "$(free_port)" "$(free_port)"
        (broker "$java" -XX:ArchiveClassesAtExit="$scratch/classes.jsa") >log 2>&1 </dev/null 8>&- &
        pid=$!
        trap 'kill -KILL "$pid" 2>/dev/null || true' EXIT
        until grep -qF "$ready" log || ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; do
            sleep 0.1
        done
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" || true
        cp classes.jsa "$archive.partial" && mv -f "$archive.partial" "$archive" && wc -c <"$archive" >"$archive.size"
    ) 2>/dev/null || {
        say "that failed and is not tried again; starts take some seconds longer"
        touch "$archive.failed"
    }
    rm -rf "$scratch"
}

free_port() {
    local try
    for _ in {1..50}; do
        try=$((20000 + RANDOM % 12000))
        if ! is_taken "$try"; then
            echo "$try"
            return 0
        fi
    done
    return 1
}

# Settings and, at the first start, the folder of the data with the id of the cluster. It gets its name when it is whole.
configure() {
    local port=$1 controller_port=$2 text id=-
    text=$(<"$here/kafka/server.properties")
    text=${text//@PORT@/$port}
    text=${text//@CONTROLLER_PORT@/$controller_port}
    echo "$text" >server.properties
    [ ! -d data ] || return 0
    while [[ $id == -* ]]; do
        id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
    done
    rm -rf data.partial
    sed 's/^log.dirs=.*/log.dirs=data.partial/' server.properties >format.properties
    tool kafka.tools.StorageTool format --standalone --ignore-formatted -t "$id" -c format.properties \
        >format.log 2>&1 || fail "the folder for the data cannot be prepared: $(<format.log)"
    mv data.partial data
    rm format.properties format.log
}

tool() {
    "$java" "${with_archive[@]}" "${quick[@]}" -Dlog4j2.configurationFile="$here/kafka/tools.log4j2.properties" \
        -cp "$jars/*" "$@"
}

prepare() {
    install
    configure "$port" "$controller_port"
}

serve() { broker setsid "$java" "${with_archive[@]}"; }

case ${1:-} in
install)
    [ $# = 1 ] || service usage
    install
    say "Apache Kafka $version is in $jars"
    ;;
tool)
    [ $# -ge 2 ] || service usage
    install
    tool "${@:2}"
    ;;
*) service "$@" ;;
esac
