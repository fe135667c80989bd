#!/usr/bin/env bash
# Installs what this machine lacks to build and run the platform ("run"), to start the real components around it without
# Docker ("stack"), and to test it all ("test": what "run" and "stack" need, and more).
#
# On Debian and Ubuntu as root it installs by apt; elsewhere it says exactly what to install, and goes on where the
# platform can do without. It asks the network for nothing when everything is there.
set -euo pipefail

level=${1:-run}
case $level in
run | stack | test) ;;
*)
    echo "usage: $0 run|stack|test" >&2
    exit 2
    ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"

say() { echo "setup: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

# The same places as in cli/src/embedded/programs.rs. VIRAL_POSTGRES=fetch and VIRAL_POSTGRES_BIN are the user's choice.
has_postgres() {
    [ -n "${VIRAL_POSTGRES:-}${VIRAL_POSTGRES_BIN:-}${DATABASE_URL:-}" ] && return 0
    local folder version
    for folder in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
        "$(dirname "$(command -v postgres || echo /none/postgres)")"; do
        if ! [ -x "$folder/initdb" ] || ! [ -x "$folder/pg_ctl" ] || ! [ -x "$folder/postgres" ]; then continue; fi
        version=$("$folder/postgres" --version 2>/dev/null) || continue
        case $version in *"(PostgreSQL) 1"[5-8]*) return 0 ;; esac
    done
    return 1
}

# Ubuntu 22.04 has PostgreSQL 14, which is too old: then the platform fetches one by itself.
apt_postgres_is_recent() {
    case $(apt-cache policy postgresql 2>/dev/null | sed -n 's/^ *Candidate: //p') in
    1[5-8]+* | 1[5-8].*) return 0 ;;
    *) return 1 ;;
    esac
}

has_java() {
    local said
    said=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1) || return 1
    [[ $said =~ version\ \"([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 17 ]
}

has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# Ubuntu 22.04's default is older, and the newest Debian has no 17 any more.
java_package() {
    if [ -z "$(apt-cache show openjdk-17-jre-headless 2>/dev/null)" ] && [ -n "$(apt-cache show default-jre-headless 2>/dev/null)" ]; then
        echo default-jre-headless
    else
        echo openjdk-17-jre-headless
    fi
}

as_root_with_apt() { [ "$(id -u)" = 0 ] && has apt-get; }

apt_update_once() {
    [ -n "${updated:-}" ] && return 0
    say "asking apt for its lists"
    apt-get -o DPkg::Lock::Timeout=600 -qq update
    updated=yes
}

builds() { [ "$level" != stack ]; }

missing_packages() {
    has make || echo make
    if builds; then has cc || echo gcc libc6-dev; fi
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] \
        || [ -e /etc/ssl/cert.pem ] || echo ca-certificates
    if [ "$level" != run ]; then
        has_java || java_package
        has mvn || echo maven
        has redis-server || echo redis-server
        has_venv || echo python3-venv
    fi
    if [ "$level" = test ]; then
        has hledger || echo hledger
        compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || echo libfaketime
    fi
}

# The stack runs a Redis of its own: Debian's service need not run and hold the port, now or after the next boot.
policy=/usr/sbin/policy-rc.d
keep_redis_quiet() {
    local unit=/etc/systemd/system/redis-server.service
    if [ ! -e "$unit" ]; then
        mkdir -p "$(dirname "$unit")"
        ln -s /dev/null "$unit"
        say "its service is masked (systemctl unmask redis-server, for one who wants it)"
    fi
    # Where there is no systemd, only this keeps a package from starting what it brings.
    [ ! -e "$policy" ] || return 0
    trap 'rm -f "$policy"' EXIT
    printf '%s\n' '#!/bin/sh' 'exit 101' >"$policy"
    chmod +x "$policy"
    made_policy=yes
}

install_packages() {
    apt_update_once
    say "installing $*"
    if [[ " $* " == *" redis-server "* ]]; then keep_redis_quiet; fi
    # The platform runs clusters of its own, so Debian need not make one and start it at every boot.
    local conf=/etc/postgresql-common/createcluster.conf
    if [ ! -e "$conf" ] && [[ " $* " == *" postgresql "* ]]; then
        mkdir -p "$(dirname "$conf")"
        printf '%s\n' '# Set when Viral Engine installed PostgreSQL: it runs a cluster of its own.' \
            'create_main_cluster = false' >"$conf"
    fi
    DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
        apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -qq install -y --no-install-recommends "$@" >&2 </dev/null
    [ -z "${made_policy:-}" ] || rm -f "$policy"
}

# A Python environment of our own, rebuilt when the pinned versions change.
make_venv() {
    local venv=${VIRAL_TEST_VENV:?is set by the Makefile} pins=$here/requirements-test.txt
    cmp -s "$pins" "$venv/installed.txt" && [ -x "$venv/bin/bean-check" ] && return 0
    mkdir -p "$(dirname "$venv")"
    # Two test runs that begin at once must not build it at once.
    exec 9>"$venv.lock"
    if has flock; then flock 9; fi
    cmp -s "$pins" "$venv/installed.txt" && [ -x "$venv/bin/bean-check" ] && return 0
    say "installing beancount and clickhouse-connect into $venv"
    rm -rf "$venv"
    python3 -m venv "$venv" \
        && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r "$pins" >&2 \
        && "$venv/bin/bean-check" --version >/dev/null \
        && cp "$pins" "$venv/installed.txt"
}

if builds && ! has cargo; then
    say "no Rust tool chain: install rustup as https://rustup.rs tells, then run this again"
    exit 1
fi

# apt's lists tell which Java there is.
if [ "$level" != run ] && as_root_with_apt && ! has_java; then apt_update_once; fi
read -r -d '' -a packages < <(missing_packages && printf '\0')
if as_root_with_apt; then
    if builds && ! has_postgres; then
        apt_update_once
        if apt_postgres_is_recent; then
            packages+=(postgresql)
        else
            say "apt has no PostgreSQL 15 to 18; the platform fetches one by itself"
        fi
    fi
    [ ${#packages[@]} = 0 ] || install_packages "${packages[@]}"
else
    if [ ${#packages[@]} != 0 ]; then
        say "please install: ${packages[*]} (on Debian and Ubuntu: sudo apt-get install ${packages[*]})"
    fi
    ! builds || has_postgres || say "no PostgreSQL 15 to 18 is installed; the platform fetches one by itself" \
        "(or: sudo apt-get install postgresql)"
fi

if builds && ! has cc; then
    say "nothing can be built without a C compiler"
    exit 1
fi
if [ "$level" != run ] && ! "$here/kafka.sh" install; then
    say "Apache Kafka could not be installed: Java 17, Maven and, once, the network are needed"
    # `make stack` goes on with the other components; the tests need it.
    [ "$level" = stack ] || exit 1
fi
# One that is somewhere else needs nothing here; the tests start their own.
if [ "$level" = test ] || { [ "$level" = stack ] && [ -z "${CLICKHOUSE_URL+set}" ]; }; then
    if ! "$here/clickhouse.sh" install; then
        say "ClickHouse's engine could not be installed: Python 3.10 with venv and pip and, once, the network are needed"
        [ "$level" = stack ] || exit 1
    fi
fi
if [ "$level" = test ] && ! make_venv; then
    say "beancount could not be installed: python3 with venv and pip, and the network, are needed for the tests that use it"
    # Elsewhere those tests say that they were skipped; on a build machine a skipped test would go unnoticed.
    [ -z "${CI:-}" ] || exit 1
fi
