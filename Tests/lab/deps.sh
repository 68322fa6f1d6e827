#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that building, testing and demonstrating need. Starts no service.
set -euo pipefail

packages=(
    # building: libvirt, XML, SQLite, zlib, netlink and nftables headers, and what finds them
    libvirt-dev libxml2-dev libsqlite3-dev zlib1g-dev libnl-route-3-dev libnftables-dev
    pkg-config git ca-certificates
    # a host: libvirt, QEMU and what they call
    libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients
    qemu-system-x86 qemu-utils ovmf swtpm swtpm-tools dnsmasq-base iptables ebtables nftables iproute2
    # seeds, guest images
    xorriso mmdebstrap busybox-static cpio kmod zstd xz-utils
    syslinux syslinux-common mtools dosfstools fdisk e2fsprogs
    # tests, fuzzing, benchmarks and their peers
    shellcheck jq curl socat zsh fish mandoc man-db groff-base openssh-client openssh-server
    libnbd-bin virtinst hyperfine python3 python3-libvirt python3-venv python3-pip binutils procps
)

# One query for all of them; a package that was removed but not purged is known to dpkg, yet not installed.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
    sed -n 's/^installed //p') || true
missing=()
for package in "${packages[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "deps: all ${#packages[@]} packages are installed"
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "deps: these packages are missing, and only root can install them: ${missing[*]}" >&2
    exit 1
fi
echo "deps: installing ${missing[*]}"

# The packages must not start libvirtd and its like on the developer's machine: invoke-rc.d and
# deb-systemd-invoke ask this script first, and 101 means "no". An existing policy is the machine's own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
wait_for_lock=(-o DPkg::Lock::Timeout=600)
# One unreachable third-party source must not stop us; a package that is really missing fails below.
apt-get "${wait_for_lock[@]}" update -q || echo "deps: some package lists could not be read" >&2
apt-get "${wait_for_lock[@]}" install -q -y --no-install-recommends "${missing[@]}"
echo "deps: done"
