#!/usr/bin/env bash
# image.sh: the container image IMAGE [idp] from the published program.
# BASE is the image to build on; without it Debian's own is taken, and where no registry answers, one made by mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
image=${IMAGE:-idp} base=${BASE:-}
packages="libicu72 libssl3 ca-certificates tzdata"
build/setup.sh image

if [[ ! $base ]]; then
  if podman image exists localhost/idp-base; then
    base=localhost/idp-base
  elif timeout 20 podman pull -q debian:12-slim >/dev/null 2>&1; then
    base=debian:12-slim
  else
    echo "No image registry answers: making a base with mmdebstrap"
    mmdebstrap --quiet --variant=minbase --include="${packages// /,}" bookworm - | podman import -q - localhost/idp-base >/dev/null
    base=localhost/idp-base
  fi
fi

build/publish.sh --if-changed linux-x64
# chroot and the host's network: the build needs no privileges that a nested environment may lack.
# The docker format: OCI images have no HEALTHCHECK.
build/podman.sh build --format docker --isolation=chroot --network=host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
  --label idp.base="$base" --build-arg BASE="$base" --build-arg PACKAGES="$packages" --target runtime -t "$image" -f deploy/Containerfile . >artifacts/image.log 2>&1 ||
  { tail -n 40 artifacts/image.log >&2; exit 1; }
echo "image $image on $base"
