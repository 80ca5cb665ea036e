#!/usr/bin/env bash
# podman.sh ARGUMENTS...: podman, also inside a container or a virtual machine without systemd, nested namespaces and a network of its own.
set -euo pipefail
exec podman --runtime runc --cgroup-manager cgroupfs "$@"
