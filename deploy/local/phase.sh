#!/usr/bin/env bash
# Runs a command as a named phase and tells how long it took: phase.sh NAME COMMAND...
set -uo pipefail
name=$1
shift
began=$(date +%s)
echo "== $name: $*"
status=0
"$@" || status=$?
seconds=$(($(date +%s) - began))
if [ "$status" = 0 ]; then
    echo "== $name: $seconds s"
else
    echo "== $name: failed with $status after $seconds s"
fi
exit "$status"
