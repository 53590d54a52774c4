# On other machines: what is refused there is found out by trying, `callgated --check` says it before
# and the start says it, with the switch and what to do; what may be missing is for sandbox.require.
# The machines are played by landing (programs/landing.c) and by namespaces of our own.
. "$IT_TESTS/lib.sh"
policy <<'POLICY'
tools:
  plain: {type: command, deny_by_default: true, allowed_commands: [touch, ls]}
  content: # with as little as may be
    type: command
    deny_by_default: true
    allowed_commands: [touch, ls]
    sandbox: {require: [userns, mntns, pidns, netns, ipcns, utsns, root, proc, caps, nnp, seccomp, memfd, fds, limits]}
POLICY
check() { # COMMAND...: before callgated
	said=$("$@" "$IT_BIN/callgated" --config callgate.yaml --state state --check 2>&1)
	expect "the file is good whatever the machine is: $said" $? 0
}
refuse_start() { # COMMAND...
	: >daemon.log
	timeout 60 "$@" "$IT_BIN/callgated" --config callgate.yaml --state state >>daemon.log 2>&1 &&
		fail "$*: the daemon started and ended well"
	log=$(cat daemon.log)
	[[ $log != *'ready on'* ]] || fail "$*: it was ready: $log"
}
no_call() { # WHAT SWITCH REMEDY COMMAND...: neither check nor start can make a cell
	local what=$1 switch=$2 remedy=$3
	shift 3
	check "$@"
	expect_match "$what: check says so" "$said" 'here no call can run: '
	expect_match "$what: check names the switch" "$said" "$switch"
	expect_match "$what: check names the remedy" "$said" "$remedy"
	refuse_start "$@"
	expect_match "$what: the start names the switch" "$log" "not started: .*$switch"
	expect_match "$what: the start names the remedy" "$log" "$remedy"
}
landing=$IT_BIN/landing
as=() # the user who makes user namespaces

check
[[ $said != *'no call can run'* && $said != *'every call is refused'* ]] || fail "on this machine: $said"

# ---- no sandbox at all ---------------------------------------------------------------------------
no_call "Docker's seccomp" 'a seccomp filter is in force' 'security-opt seccomp=unconfined' "$landing" docker
no_call 'no mounts in it' 'a seccomp filter is in force' 'security-opt seccomp=unconfined' "$landing" norights
no_call 'an old kernel' 'mount_setattr' 'Linux 5.14 or newer' "$landing" old
if [ "$uid" = 0 ]; then
	no_call 'root without rights' 'root without CAP_SYS_ADMIN' 'cap-add SYS_ADMIN' \
		setpriv --bounding-set -sys_admin --inh-caps -sys_admin --
	# an ordinary user, and a switch that this kernel does not have, where it would be
	other=65533
	switch() { # NAME VALUE MACHINE: for a shell that gets the command
		echo "mount -t tmpfs none /proc/sys/kernel && echo $2 >/proc/sys/kernel/$1 || exit 9
			exec setpriv --reuid $other --regid $other --clear-groups -- '$landing' $3 \"\$@\""
	}
	rm -rf state run
	chown -R $other .
	sed -i "s/peer_uid: 0/peer_uid: $other/" callgate.yaml
	no_call 'Debian' 'kernel.unprivileged_userns_clone is 0' 'sysctl -w kernel.unprivileged_userns_clone=1' \
		unshare --mount sh -c "$(switch unprivileged_userns_clone 0 debian)" sh
	no_call 'Ubuntu' 'kernel.apparmor_restrict_unprivileged_userns is 1' \
		'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0' \
		unshare --mount sh -c "$(switch apparmor_restrict_unprivileged_userns 1 norights)" sh
	as=(setpriv --reuid $other --regid $other --clear-groups --)
fi
# shellcheck disable=SC2016 # for the shell inside
no_call 'no more namespaces' 'user.max_user_namespaces is 0' 'sysctl -w user.max_user_namespaces=' \
	"${as[@]}" unshare --user --map-current-user --keep-caps sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh
# shellcheck disable=SC2016
no_call 'a masked /proc' '/proc of the daemon is partly covered' 'systempaths=unconfined' \
	"${as[@]}" unshare --user --map-current-user --keep-caps --mount sh -c 'mount -t tmpfs none /proc/irq || exit 9; exec "$@"' sh
if [ "$uid" = 0 ]; then
	rm -rf state run
	chown -R 0 .
	sed -i "s/peer_uid: $other/peer_uid: 0/" callgate.yaml
fi

# ---- without Landlock, or with an older one ------------------------------------------------------
up_there() { # MACHINE
	: >daemon.log
	"$landing" "$1" "$IT_BIN/callgated" --config callgate.yaml --state state >>daemon.log 2>&1 &
	daemon=$!
	for _ in $(seq 600); do
		"$callgate" status >/dev/null 2>&1 && return 0
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.05
	done
	fail "$1: not started: $(tail -n 3 daemon.log)"
}
without() { # MACHINE REMEDY
	check "$landing" "$1"
	expect_match "$1: check" "$said" "tool plain: every call is refused here: landlock.*$2"
	[[ $said != *'tool content'* && $said != *'no call can run'* ]] || fail "$1: $said"
	up_there "$1"
	expect_match "$1: the start tells of itself" "$(cat daemon.log)" 'no Landlock .*seccomp alone'
	expect_match "$1: the start warns" "$(cat daemon.log)" "tool plain: every call is refused here: landlock.*$2"
	rm -f workspace/*
	out=$("$callgate" call plain command='touch marker')
	expect "$1: exit" $? 5
	expect_match "$1: the refusal names wall and remedy" "$out" "landlock.*$2"
	[ ! -e workspace/marker ] || fail "$1: it ran without the wall"
	json=$("$callgate" --output json call content command='touch marker') || fail "$1: content: $json"
	[ -e workspace/marker ] || fail "$1: what may be missing stood in the way"
	layers=$(jq -r '._meta["callgate/call"].layers | join(" ")' <<<"$json")
	[[ $layers != *landlock* && $layers != *allowlist* ]] || fail "$1: attested: $layers"
	down
}
without nolandlock 'landlock_create_ruleset'
without off 'lsm= boot option'
up_there abi:2
json=$("$callgate" --output json call plain command='touch marker') || fail "abi 2: $json"
expect_match 'abi 2' "$(jq -r '._meta["callgate/call"].layers | join(" ")' <<<"$json")" 'landlock:2 allowlist'
down
verify_ok

# ---- no overlays, or none over this workspace ----------------------------------------------------
cat >>callgate.yaml <<'POLICY'
  aside: {type: command, deny_by_default: true, allowed_commands: [touch], sandbox: {workspace: overlay}}
POLICY
no_overlay() { # WHAT REMEDY COMMAND...: check and start say it of the one tool; as root other
	# file systems lack idmapped mounts, too
	local what=$1 remedy=$2
	shift 2
	check "$@"
	expect_match "$what: check" "$said" "tool aside: every call is refused here: overlay: .*$remedy"
	[[ $said != *'tool plain'* && $said != *'no call can run'* ]] || fail "$what: $said"
	: >daemon.log
	"$@" "$IT_BIN/callgated" --config callgate.yaml --state state >>daemon.log 2>&1 &
	daemon=$!
	for _ in $(seq 600); do
		"$callgate" status >/dev/null 2>&1 && break
		kill -0 "$daemon" 2>/dev/null || fail "$what: not started: $(tail -n 3 daemon.log)"
		sleep 0.05
	done
	expect_match "$what: the start warns" "$(cat daemon.log)" "tool aside: every call is refused here: overlay: .*$remedy"
	rm -f workspace/*
	out=$("$callgate" call aside command='touch marker')
	expect "$what: exit" $? 5
	expect_match "$what: the refusal" "$out" "overlay: .*$remedy|move it to ext4"
	[ ! -e workspace/marker ] || fail "$what: it ran on the workspace itself"
	down
}
check
[[ $said != *'every call is refused'* ]] || fail "on this machine: $said"
no_overlay 'no overlays in the kernel' 'CONFIG_OVERLAY_FS' "$landing" nooverlay
if [ "$uid" = 0 ]; then
	# shellcheck disable=SC2016
	no_overlay 'overlays on overlays' 'an overlay itself; move working_directory' unshare --mount sh -c '
		mount -t tmpfs none /mnt && mkdir /mnt/a /mnt/b /mnt/c /mnt/d /mnt/e &&
		mount -t overlay -o lowerdir=/mnt/a:/mnt/b none /mnt/c &&
		mount -t overlay -o lowerdir=/mnt/c:/mnt/d none workspace || exit 9
		exec "$@"' sh
fi
verify_ok
