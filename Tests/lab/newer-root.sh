#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian 13 with its libvirt and QEMU into OUTDIR/debian13 (default: .build/lab of the repository),
# a root for `vhost`. Does nothing when it is there and the recipe has not changed; remove it for updates.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
mkdir -p "${1:-$here/../../.build/lab}"
out=$(cd "${1:-$here/../../.build/lab}" && pwd)

packages=(
    libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-daemon-driver-network
    libvirt-daemon-driver-storage libvirt-daemon-driver-nwfilter libvirt-daemon-driver-nodedev
    libvirt-daemon-driver-secret libvirt-daemon-config-nwfilter libvirt-daemon-log libvirt-clients
    qemu-system-x86 qemu-utils ovmf dnsmasq-base iptables ebtables nftables iproute2 conntrack kmod procps
    xorriso busybox-static libsqlite3-0 libxml2 e2fsprogs iputils-ping openssh-client openssh-server curl jq
    socat python3 swtpm swtpm-tools
)

say() { echo "debian13: $*" >&2; }

exec 9>"$out/.debian13.lock"
flock 9
key=$(cat "$here/newer-root.sh" "$here/debian-root.sh" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$out/.debian13.key" 2>/dev/null)" = "$key" ]; then
    say "up to date in $out"
    exit 0
fi
say "unpacking into $out/debian13 (a few minutes)"
work=$(mktemp -d "$out/.debian13.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$here/debian-root.sh" trixie "$work/root" "${packages[@]}"
rm -rf "$out/.debian13.key" "$out/debian13"
mv "$work/root" "$out/debian13"
echo "$key" >"$out/.debian13.key"
# shellcheck disable=SC2016
say "unpacked: $(chroot "$out/debian13" dpkg-query -W -f '${Package} ${Version} ' libvirt0 qemu-system-x86)"
