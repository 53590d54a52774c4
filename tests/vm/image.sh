#!/bin/bash
# usage: image.sh IMAGE
# Makes the guest of run.sh: IMAGE/kernel, initrd and disk, of Debian 12 and its cloud kernel. Needs
# root and Debian 12 package sources. Run by run.sh, which keeps it until this file changes.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
image=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/callgate-image.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' INT TERM
# What the daemon is linked to; what guest.sh and tests/integration use; what the battery does.
packages=systemd,systemd-sysv,dbus,kmod,procps,util-linux,socat,jq,git,gcc,libc6-dev,python3,curl,openssl
packages+=,libseccomp2,libcap2,libuv1,libjansson4,libyaml-0-2,libssl3,libcurl4,libsqlite3-0
packages+=,make,ripgrep,rsync,strace,perl,util-linux-extra,libcap2-bin,iproute2,file,passwd
die() {
	echo "check-vm: $*" >&2
	exit 125
}

# The guest's unit: the script, its status on a second serial line, then power off.
write_unit() { # ROOT
	mkdir -p "$1/etc/systemd/system/multi-user.target.wants" "$1/usr/local/sbin"
	cat >"$1/etc/systemd/system/check.service" <<-'UNIT'
		[Unit]
		After=multi-user.target
		[Service]
		Type=exec
		Environment=HOME=/root LANG=C.UTF-8 TERM=dumb
		ExecStart=/usr/local/sbin/check
	UNIT
	ln -s ../check.service "$1/etc/systemd/system/multi-user.target.wants/"
	cat >"$1/usr/local/sbin/check" <<-'CHECK'
		#!/bin/bash
		stty raw -echo </dev/ttyS1
		stty raw -echo </dev/ttyS2
		mount -t ext4 /dev/vdb /mnt && cd /mnt && bash /mnt/guest.sh </dev/null >/dev/ttyS1 2>&1
		echo "exit $?" >/dev/ttyS2
		sleep 1
		systemctl poweroff --force --force
	CHECK
	chmod 755 "$1/usr/local/sbin/check"
	for unit in getty.target systemd-logind.service systemd-random-seed.service; do
		ln -sf /dev/null "$1/etc/systemd/system/$unit"
	done
	echo guest >"$1/etc/hostname"
	rm -f "$1/etc/fstab"
}

# An initrd that knows nothing but the disk: Debian's cloud kernel has virtio as modules.
write_initrd() { # ROOT OUT
	local modules tree=$work/initrd name
	modules=$(echo "$1"/lib/modules/*)
	mkdir -p "$tree"/{bin,dev,root}
	cp "$1/bin/busybox" "$tree/bin/"
	for name in sh insmod mount switch_root; do ln -s busybox "$tree/bin/$name"; done
	find "$modules/kernel/drivers" -name 'virtio*.ko' -exec cp {} "$tree/" \;
	cat >"$tree/init" <<-'INIT'
		#!/bin/sh
		cd /
		for m in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do
			insmod $m.ko
		done
		mount -t devtmpfs dev /dev
		mount -t ext4 /dev/vda /root
		mount -o move /dev /root/dev
		exec switch_root /root /sbin/init
	INIT
	chmod 755 "$tree/init"
	(cd "$tree" && find . | "$1/bin/busybox" cpio -o -H newc 2>/dev/null) >"$2"
}

make_image() {
	[ "$(id -u)" = 0 ] || die "making the guest needs root; run once: sudo make check-vm"
	local root=$work/root
	echo "making the guest (once, about a minute) ..." >&2
	# This machine's own way to its package mirror (proxy, certificates) holds for the guest too.
	apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' >"$work/apt.conf" || :
	mmdebstrap --quiet --mode=root --variant=essential --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
		--include="$packages" \
		--aptopt="$work/apt.conf" --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--customize-hook='cd "$1" && export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" &&
			apt-get -qq -o APT::Sandbox::User=root download busybox-static "$(apt-cache depends \
				linux-image-cloud-amd64 | sed -n "s/.*Depends: //p;T;q")"' \
		bookworm "$root" >"$work/log" 2>&1 || {
		tail -n 20 "$work/log" >&2
		die "mmdebstrap failed"
	}
	local deb
	for deb in "$root"/*.deb; do
		dpkg-deb -x "$deb" "$work/x"
		rm "$deb"
	done
	cp "$work"/x/boot/vmlinuz-* "$work/kernel"
	mkdir -p "$root/usr/lib/modules"
	cp -R "$work"/x/lib/modules/* "$root/usr/lib/modules/"
	cp "$work/x/bin/busybox" "$root/usr/bin/busybox"
	chroot "$root" depmod "$(basename "$root"/usr/lib/modules/*)"
	mkdir -p "$image.new"
	mv "$work/kernel" "$image.new/kernel"
	write_initrd "$root" "$image.new/initrd"
	write_unit "$root"
	truncate -s 3G "$image.new/disk"
	mke2fs -q -t ext4 -m 0 -d "$root" "$image.new/disk"
	mv "$image.new" "$image"
}

make_image
