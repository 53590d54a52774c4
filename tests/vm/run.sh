#!/bin/bash
# usage: run.sh BUILD SCRIPT [ARG...]
# Boots a throw-away Debian 12 (systemd as PID 1, cgroup v2 only, Debian's own kernel) in QEMU, runs
# the script as root there, streams its output and exits with its status; VM_TIMEOUT is in seconds.
# At /mnt, where it starts: usr, an install tree of this build; tests and what they need of the
# sources; build, its programs and the tests' helpers as in BUILD. The guest is made once (image.sh)
# and kept in build/vm. Works without KVM, at a twentieth of the speed.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
script=$2
shift 2
limit=${VM_TIMEOUT:-3600}
die() {
	echo "check-vm: $*" >&2
	exit 125
}

"$top/tests/install-packages.sh" qemu-system-x86 mmdebstrap e2fsprogs
image=$top/build/vm/$(sha256sum "$here/image.sh" | cut -c 1-12)
work=$(mktemp -d "${TMPDIR:-/tmp}/callgate-vm.XXXXXX")
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 143' INT TERM

[ -d "$image" ] || "$here/image.sh" "$image"
make -s -C "$top" install DESTDIR="$work/share" PREFIX=/usr >/dev/null
cp "$script" "$work/share/script.sh"
printf 'exec bash ./script.sh %s\n' "${*@Q}" >"$work/share/guest.sh"
# What tests/integration/run.sh and tests/battery/run.py take from a checkout and its build.
(cd "$top" && cp -R --parents tests/vm tests/integration tests/battery tests/skips.txt tests/bench/prompts.sh \
	tests/unit/http/vectors.h agent-api/openapi.yaml examples README.md "$work/share/")
mkdir "$work/share/build"
cp "$work"/share/usr/{bin,sbin,libexec/callgate}/callgate* "$work/share/build/"
for helpers in it escape battery; do
	[ ! -d "$build/$helpers" ] || cp -R "$build/$helpers" "$work/share/build/"
done
truncate -s 1G "$work/share.img"
mke2fs -q -t ext4 -m 0 -d "$work/share" "$work/share.img"
mkfifo "$work/pipe.in" "$work/pipe.out"
cat "$work/pipe.out" &
reader=$!
accel=tcg cpu=Nehalem
[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accel=kvm cpu=host
timeout --foreground -k 5 "$limit" qemu-system-x86_64 -accel $accel -cpu $cpu -M q35 -smp 2 -m 2048 \
	-nodefaults -no-user-config -display none -no-reboot -kernel "$image/kernel" \
	-initrd "$image/initrd" \
	-append 'console=ttyS0 root=/dev/vda rw quiet panic=-1 mitigations=off random.trust_cpu=on lsm=landlock,lockdown,yama,apparmor' \
	-chardev "file,id=console,path=$work/console" -serial chardev:console \
	-chardev "pipe,id=out,path=$work/pipe" -serial chardev:out \
	-chardev "file,id=status,path=$work/status" -serial chardev:status \
	-drive "file=$image/disk,format=raw,if=virtio,snapshot=on,cache=unsafe" \
	-drive "file=$work/share.img,format=raw,if=virtio,cache=unsafe" 2>"$work/qemu.log" </dev/null &
qemu=$!
wait $qemu || :
qemu=
kill $reader 2>/dev/null || :
status=$(sed -n 's/^exit \([0-9]*\).*/\1/p' "$work/status" 2>/dev/null | tail -n 1)
[ -n "$status" ] || {
	tail -n 20 "$work/console" "$work/qemu.log" >&2
	die "the guest gave no status within $limit s"
}
exit "$status"
