#!/bin/bash
# usage: battery.sh [--all] [OPTION of tests/battery/run.py]...
# Inside the guest: the battery under the settings of examples/systemd's service, each daemon in a
# control group (v2) of its own below the unit. Without options the quick form of `make check`, with
# --all each form of each attack. Prints what did not hold, and the score. Runs as root in the folder
# of run.sh.
set -u
if [ "${1:-}" != --inside ]; then
	# The unit with a run of the battery in the daemon's place: what is about its life is left out.
	uname -r
	mkfifo /run/battery.out
	sed -E '/^(Type|Exec[A-Za-z]*|(Runtime|State|Configuration)Directory[A-Za-z]*|Restart[A-Za-z]*)=/d
		/^(WatchdogSec|KillMode|TimeoutStopSec|WantedBy)=/d' \
		usr/share/doc/callgate/examples/systemd/callgate.service >/etc/systemd/system/battery.service
	mkdir /etc/systemd/system/battery.service.d
	cat >/etc/systemd/system/battery.service.d/run.conf <<-UNIT
		[Service]
		Type=oneshot
		WorkingDirectory=$PWD
		ExecStart=/bin/bash $PWD/tests/vm/battery.sh --inside ${*@Q}
		StandardOutput=file:/run/battery.out
		StandardError=inherit
	UNIT
	systemctl daemon-reload
	cat /run/battery.out &
	systemctl start battery 2>/run/battery.err && result=0 || result=1
	: 3<>/run/battery.out # where nobody has written, nobody would end the reading
	wait
	# a score was told by the battery itself
	[ "$(systemctl show -P Result battery)" = exit-code ] || cat /run/battery.err
	exit $result
fi
shift
[ $# -gt 0 ] || set -- --quick --sample
[ "$1" != --all ] || shift
# Without KVM a fork takes as long as thirty do outside.
[ "$(systemd-detect-virt)" = kvm ] || set -- --slow 6 "$@"
# The delegated group may hold no process itself, or it cannot be divided.
unit=/sys/fs/cgroup$(sed 's/^0:://' /proc/self/cgroup)
mkdir "$unit/main" && echo $$ >"$unit/main/cgroup.procs" &&
	echo '+memory +pids' >"$unit/cgroup.subtree_control" || exit 1
exec tests/battery/run.py build --brief --groups "$unit" "$@"
