#!/usr/bin/env bash
# killed.sh [sqlite] [postgres]: every node is killed (SIGKILL) while codes are redeemed, refresh tokens rotated and tokens revoked, and started again.
# shellcheck source=tests/faults/lib.sh
source "$(dirname "$0")/lib.sh"

title "kill -9 of all nodes under load, on ${1:-sqlite}: nothing acknowledged is lost, nothing used up is accepted again"
use "${1:-sqlite}"
nodes=(one)
[[ $engine == sqlite ]] || nodes+=(two three)
for node in "${nodes[@]}"; do start_node "$node"; urls+=("${address[$node]}"); done
load_step prepare
load_begins
for ((round = 0; round < ${ROUNDS:-3}; round++)); do
  sleep "${EACH:-3}"
  for node in "${nodes[@]}"; do kill_node "$node"; done
  for node in "${nodes[@]}"; do start_node "$node"; done
done
sleep 1
load_ends
load_holds
finish
