# shellcheck shell=bash
# What the servers of the stack have in common: start, wait, status, stop. A script that sources this sets
#
#   name      the server's folder in the home, and the file under services/ by which `viral` finds it
#   title     what people call it
#   program   a word of its command line: by it and its folder, which it works in or names, a process is known to be
#             this server, and no other one that got the pid of a server that died
#   ready     what its log says when it answers
#   ports     where it will listen, all on 127.0.0.1
#   address   what `viral` will be told; it may have a password, which nobody else is shown
#   settings  what chooses other ports
#   usage     what its script understands
#   prepare   a function that does what must be done before a start, in the server's folder
#   serve     a function that replaces the shell by the server, in the server's folder
#
# and then calls service "$@".
#
#   <home>/<name>/pid           the process, even if it was killed
#   <home>/<name>/<name>.log    the log of this start; the one before is <name>.log.1
#   <home>/<name>/address       where it listens
#   <home>/services/<name>      a copy of that, from the moment it answers until it is stopped
set -euo pipefail

: "${name:?}" "${title:?}" "${program:?}" "${ready:?}" "${ports:?}" "${address:?}" "${settings:?}" "${usage:?}"
home=${VIRAL_HOME:-.viral}
patience=${VIRAL_STACK_TIMEOUT:-60}
already=

say() { echo "$name: $*" >&2; }
fail() {
    say "$@"
    exit 1
}

# Absolute, without symbolic links, as /proc tells it.
locate() {
    case $1 in
    making) mkdir -p "$home/$name" "$home/services" || fail "cannot write to $home" ;;
    *) [ -d "$home/$name" ] || return 1 ;;
    esac
    home=$(cd "$home" && pwd -P)
    folder=$home/$name
    log=$folder/$name.log
}

# One start or stop at a time. The server itself does not inherit the lock.
lock() {
    exec 9>"$folder/lock"
    flock -w "$((patience * 2))" 9 || fail "another start or stop has not ended for $((patience * 2)) s"
}

# The pid of the server, if it runs.
running() {
    local pid command
    pid=$(cat "$folder/pid" 2>/dev/null) && [ -n "$pid" ] || return 1
    command=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")
    [[ $command == *"$program"* ]] || return 1
    # One that names the folder may work elsewhere for a while: ClickHouse's engine does while it is loaded.
    [[ $command == *"$folder/"* ]] || [ "$(readlink "/proc/$pid/cwd")" = "$folder" ] || return 1
    echo "$pid"
}

# Whether the kernel still closes the files and ports of a process that has ended: its command line goes first, and as long
# as it has threads, or is no zombie, the next server would find its port or its data taken.
is_closing() {
    [ -n "$1" ] && [ -d "/proc/$1" ] && [ -z "$(tr -d '\0' <"/proc/$1/cmdline")" ] || return 1
    [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l)" -gt 1 ] || ! grep -q '^State:.*zombie' "/proc/$1/status"
} 2>/dev/null

await_close() {
    local deadline=$((SECONDS + 10))
    while is_closing "$1" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.02; done
}

is_ready() { running >/dev/null && grep -qF -- "$ready" "$log" 2>/dev/null; }

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

any_taken() {
    local number
    for number in "${ports[@]}"; do
        ! is_taken "$number" || return 0
    done
    return 1
}

# Writes an address to a file, so that nobody reads half of it, and nobody else the password in it.
keep() {
    local partial=${1%/*}/.${1##*/}
    rm -f "$partial"
    (umask 077 && cat >"$partial")
    mv "$partial" "$1"
}

publish() { keep "$home/services/$name" <"$folder/address"; }

# Where it listens, without user and password.
shown() { sed 's#//[^/@]*@#//#' "$folder/address"; }

end_of_log() {
    say "the end of $log:"
    tail -n 25 "$log" | sed 's/^/    /' >&2
}

await() {
    local deadline=$((SECONDS + patience))
    until is_ready; do
        # While a process becomes another program it has no command line for a moment: look twice.
        if ! running >/dev/null && sleep 0.3 && ! running >/dev/null; then
            end_of_log
            rm -f "$folder/pid"
            fail "$title ended while it started"
        fi
        if [ "$SECONDS" -ge "$deadline" ]; then
            end_of_log
            fail "$title does not answer after $patience s; it is left running (VIRAL_STACK_TIMEOUT=... waits longer)"
        fi
        sleep 0.05
    done
    publish
    say "$title ${already}answers on $(shown) (pid $(running), log $log)"
}

start() {
    local pid number
    locate making
    lock
    if pid=$(running); then
        is_ready || say "$title was started before (pid $pid)"
        already="runs already and "
    else
        if [ -e "$folder/pid" ]; then
            pid=$(cat "$folder/pid")
            say "process $pid is gone without having been stopped; starting anew on its data"
            await_close "$pid"
            rm -f "$folder/pid"
            # One that was killed a moment ago may still be losing its sockets.
            for _ in {1..50}; do
                any_taken || break
                sleep 0.1
            done
        fi
        for number in "${ports[@]}"; do
            if ! [[ $number =~ ^[1-9][0-9]{0,4}$ ]] || [ "$number" -gt 65535 ]; then
                fail "$number is no port: choose one from 1 to 65535 ($settings)"
            fi
            ! is_taken "$number" || fail "port $number on 127.0.0.1 is taken by another program (\`ss -ltnp\` tells which):" \
                "stop that one, or choose other ports ($settings)"
        done
        cd "$folder"
        prepare
        keep "$folder/address" <<<"$address"
        [ ! -e "$log" ] || mv "$log" "$log.1"
        # A session of its own, so that Ctrl-C and a closed terminal do not end it.
        (
            exec 9>&-
            echo "$BASHPID" >pid
            serve
        ) >"$log" 2>&1 </dev/null &
        # Until it has become the server, it is this script.
        until running >/dev/null || ! kill -0 $! 2>/dev/null; do sleep 0.01; done
    fi
    [ "${1:-}" = --no-wait ] || await
}

await_start() {
    if ! locate existing || ! running >/dev/null; then
        fail "$title does not run"
    fi
    await
}

# What it says is what was asked for, so it goes to standard output.
status() {
    local pid
    if ! locate existing; then
        echo "$title does not run in $home"
        return 1
    elif ! pid=$(running); then
        if [ -e "$folder/pid" ]; then
            echo "$title does not run: process $(cat "$folder/pid") is gone without having been stopped (see $log)"
        else
            echo "$title does not run; its data is in $folder"
        fi
        return 1
    elif ! is_ready; then
        echo "$title is starting (pid $pid, log $log)"
        return 1
    fi
    echo "$title answers on $(shown) (pid $pid, data and log in $folder)"
}

stop() {
    local pid deadline
    if ! locate existing; then
        say "$title does not run in $home"
        return 0
    fi
    lock
    # First, so that nobody turns to a server that is about to go.
    rm -f "$home/services/$name"
    if ! pid=$(running); then
        rm -f "$folder/pid"
        say "$title does not run"
        return 0
    fi
    kill -TERM "$pid" || true
    deadline=$((SECONDS + 30))
    while running >/dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            say "$title did not stop within 30 s and was killed; its next start takes longer"
            kill -KILL "$pid" || true
            deadline=$((SECONDS + 3600))
        fi
        sleep 0.05
    done
    await_close "$pid"
    rm -f "$folder/pid"
    say "$title is stopped"
}

service() {
    case "${1:-} ${2:-}" in
    "start " | "start --no-wait") start "${2:-}" ;;
    "wait ") await_start ;;
    "status ") status ;;
    "stop ") stop ;;
    *)
        echo "usage: $0 $usage" >&2
        exit 2
        ;;
    esac
}
