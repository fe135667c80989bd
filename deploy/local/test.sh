#!/usr/bin/env bash
# Runs every test of a build that is there: those with bad luck beside all others, which leave half of the machine idle.
# What they say comes when both have ended. Fails if one of the two does; both end with this script.
set -uo pipefail
phase=$(dirname "$0")/phase.sh
said=$(mktemp)

# In process groups of their own, to be ended with all that they have started.
set -m
"$phase" chaos cargo test --workspace --locked --no-fail-fast --test chaos >"$said" 2>&1 </dev/null &
chaos=$!
"$phase" test cargo test --workspace --locked --no-fail-fast -- --skip chaos:: </dev/null &
others=$!
set +m

end() {
    kill -TERM -- "-$chaos" "-$others" 2>/dev/null
    wait
    rm -f "$said"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

status=0
wait "$others" || status=$?
wait "$chaos" || status=$?
cat "$said"
exit "$status"
