#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the disk, kernel and initramfs of the lab VM from Debian's packages: labvm.qcow2, labvm.vmlinuz and
# labvm.initrd in OUTDIR (default: .build/lab of the repository). Does nothing when they are there and the
# recipe has not changed; Debian's updates alone are no reason to build again.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

here=$(dirname "$(readlink -f "$0")")
mkdir -p "${1:-$here/../../.build/lab}"
out=$(cd "${1:-$here/../../.build/lab}" && pwd)
recipe=("$here/labvm-image.sh" "$here/labvm-agent" "$here/debian-root.sh")

packages=(
    # a Debian server
    linux-image-cloud-amd64 initramfs-tools kmod systemd-sysv udev dbus apparmor login procps
    iproute2 iputils-ping curl jq
    # a libvirt host
    libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils dnsmasq-base iptables ebtables nftables
    libsqlite3-0 xorriso ovmf conntrack
    # what the kernel of a container has not: storage and networks of all kinds
    lvm2 thin-provisioning-tools parted e2fsprogs xfsprogs
    nfs-kernel-server nfs-common open-iscsi tgt openvswitch-switch
    python3-minimal python3-libvirt busybox-static
)

say() { echo "labvm: $*" >&2; }

exec 9>"$out/.labvm.lock"
flock 9
key=$(cat "${recipe[@]}" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$out/.labvm.key" 2>/dev/null)" = "$key" ]; then
    say "up to date in $out"
    exit 0
fi
[ "$(id -u)" -eq 0 ] || {
    say "needs root to unpack packages"
    exit 1
}
# Not below /tmp as such, which may be memory: the unpacked system takes a gigabyte.
work=$(mktemp -d "$out/.labvm.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

configure_system() {
    echo lab >"$root/etc/hostname"
    echo '127.0.0.1 localhost lab' >"$root/etc/hosts"
    printf '/dev/disk/by-id/virtio-LABROOT / ext4 defaults,noatime 0 1\n' >"$root/etc/fstab"
    install -m 755 "$here/labvm-agent" "$root/usr/local/sbin/labvm-agent"
    cat >"$root/etc/systemd/system/labvm-agent.service" <<'TEXT'
[Unit]
Description=Runs what Tests/lab/labvm sends
After=multi-user.target libvirtd.service serial-getty@ttyS0.service

[Service]
Type=idle
ExecStart=/usr/local/sbin/labvm-agent
Restart=always
# What a script leaves running belongs to the script, and ends with the VM.
KillMode=process

[Install]
WantedBy=graphical.target
TEXT
    mkdir -p "$root/etc/systemd/system/serial-getty@ttyS0.service.d"
    cat >"$root/etc/systemd/system/serial-getty@ttyS0.service.d/root.conf" <<'TEXT'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200,38400,9600 %I $TERM
TEXT
    chroot "$root" passwd -q -d root
    # Nothing here may use the CPU by itself while a test runs; scripts start the servers that they need.
    chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer \
        e2scrub_reap.service fstrim.timer man-db.timer dpkg-db-backup.timer systemd-timesyncd.service \
        getty@tty1.service
    chroot "$root" systemctl -q disable nfs-server.service nfs-blkmap.service rpcbind.service rpcbind.socket \
        tgt.service openvswitch-switch.service open-iscsi.service iscsid.socket
    chroot "$root" systemctl -q enable labvm-agent.service libvirtd.service
}

configure_initramfs() {
    printf 'MODULES=list\nCOMPRESS=gzip\n' >"$root/etc/initramfs-tools/conf.d/lab"
    printf '%s\n' virtio_pci virtio_blk virtio_console ext4 >>"$root/etc/initramfs-tools/modules"
    chroot "$root" update-initramfs -u -k all >>"$root.log" 2>&1
    rm -rf "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/log/apt
}

build_disk() {
    cp "$root"/boot/vmlinuz-* "$work/labvm.vmlinuz"
    cp "$root"/boot/initrd.img-* "$work/labvm.initrd"
    truncate -s 8G "$work/disk.raw"
    mke2fs -q -t ext4 -L lab -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$work/disk.raw"
    qemu-img convert -O qcow2 -o compat=1.1 "$work/disk.raw" "$work/labvm.qcow2"
}

say "building in $out (a few minutes)"
"$here/debian-root.sh" bookworm "$root" "${packages[@]}"
configure_system
configure_initramfs
build_disk
# The key last: a build that was interrupted here is done again. A saved state belongs to the older disk.
rm -f "$out"/.labvm.key "$out"/labvm.state*
mv "$work"/labvm.{qcow2,vmlinuz,initrd} "$out/"
echo "$key" >"$out/.labvm.key"
say "built: $(cd "$out" && du -h labvm.qcow2 labvm.vmlinuz labvm.initrd | tr '\n\t' ', ')"
