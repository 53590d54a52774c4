#!/bin/bash
# Inside the guest: the service of examples/systemd on Debian 12's own kernel and systemd, installed
# as its README says. Runs as root in the folder with the install tree. Every line that begins with
# FAIL fails the run.
set -u
failed=0
ok() { echo "ok   $*"; }
bad() {
	echo "FAIL $*"
	failed=1
}
is() { # WHAT ACTUAL EXPECTED
	if [ "$2" = "$3" ]; then ok "$1: $2"; else bad "$1: got '$2', expected '$3'"; fi
}
uname -r
cp -a usr/. /usr/
examples=/usr/share/doc/callgate/examples
export CALLGATE_SOCKET=/run/callgate/callgate.sock
is 'control groups' "$(stat -fc %T /sys/fs/cgroup)" cgroup2fs

# ---- examples/systemd/README.md, with names for AGENT and YOU ------------------------------------
useradd --system --no-create-home --shell /usr/sbin/nologin callgate
groupadd --system callgate-agents
useradd -m -G callgate-agents agent
useradd -m -G callgate-agents human
install -d -m 755 /etc/callgate
install -d -o agent /srv/callgate/workspace
install -m 644 "$examples/systemd/callgate.yaml" /etc/callgate/
printf 'AGENT_UID=%s\nHUMAN_UID=%s\n' "$(id -u agent)" "$(id -u human)" |
	install -m 600 /dev/stdin /etc/callgate/.env
sed 's|/usr/local/|/usr/|' "$examples/systemd/callgate.service" >/etc/systemd/system/callgate.service
# and tools that reach for their limits
cat >>/etc/callgate/callgate.yaml <<'EOF2'
  stress:
    type: command
    deny_by_default: true
    allowed_commands: [sh, python3, sleep]
    max_execution_time: 120s
    sandbox: {memory: 64MiB, pids: 16}
  strict:
    type: command
    deny_by_default: true
    allowed_commands: [ls]
    sandbox: {require: [cgroup, limits, groups, seccomp, landlock]}
EOF2
systemd-analyze verify /etc/systemd/system/callgate.service 2>&1 | grep -v "Command 'man" | grep callgate && bad "systemd-analyze"
systemctl daemon-reload
if systemctl start callgate; then ok "systemctl start (READY=1)"; else
	journalctl -u callgate --no-pager | tail -n 20
	bad "systemctl start"
	exit 1
fi
show() { systemctl show -P "$1" callgate; }
is status "$(show StatusText)" 'taking calls'
as() { # USER COMMAND...
	local who=$1
	shift
	setpriv --reuid "$who" --regid "$who" --init-groups env HOME="/home/$who" "$@"
}
agent() { as agent callgate "$@"; }
for role in engine front auditor; do
	is "uid of callgate-$role" "$(ps -o user= -C callgate-$role | sort -u)" callgate
done

# ---- an allowed, a refused and an approved call --------------------------------------------------
echo one >/srv/callgate/workspace/a
agent --output json call look command='cat a' >/tmp/allowed.json || bad "allowed call: $?"
is 'allowed call' "$(jq -r .structuredContent.stdout /tmp/allowed.json)" one
layers=$(jq -r '._meta["callgate/call"].layers | join(" ")' /tmp/allowed.json)
echo "layers: $layers"
case $layers in *cgroup:v2*) ok "cgroup v2 attested" ;; *) bad "cgroup v2 not attested" ;; esac
case $layers in *limits:cgroup*) ok "limits by cgroup" ;; *) bad "limits not by cgroup" ;; esac
agent call strict command=ls >/dev/null && ok "required walls" || bad "required walls"
agent call look command='rm a' >/dev/null
is 'exit of a refused call' $? 2
as daemon callgate status >/dev/null 2>&1
is 'exit for whom the group does not let in' $? 4
echo 'int built;' >/srv/callgate/workspace/b.c
agent --output json call build command='gcc -c b.c' >/tmp/approved.json &
call=$!
for _ in $(seq 100); do
	id=$(as human callgate --output json pending | jq -r '.approvals[0].id // empty')
	[ -n "$id" ] && break
	sleep 0.3
done
agent approve "$id" >/dev/null 2>&1 && bad "the agent answered itself"
as human callgate approve "$id" >/dev/null || bad "approve: $?"
wait $call && ok "approved call" || bad "approved call: $(cat /tmp/approved.json)"
is 'whose file it made' "$(stat -c %U /srv/callgate/workspace/b.o)" agent

# ---- limits of control groups --------------------------------------------------------------------
outcome() { agent --output json call stress "$@" | jq -r '._meta["callgate/call"].outcome'; }
agent call stress command='sleep 15' >/dev/null &
call=$!
for _ in $(seq 100); do
	pid=$(pgrep -x sleep | head -n 1)
	[ -n "$pid" ] && break
	sleep 0.3
done
leaf=/sys/fs/cgroup$(sed 's/^0:://' "/proc/$pid/cgroup")
case $leaf in
/sys/fs/cgroup/system.slice/callgate.service/?*) ok "a leaf below the unit" ;;
*) bad "the call is in $leaf" ;;
esac
while [ ! -e "$leaf/memory.max" ] || [ "$(cat "$leaf/memory.max")" = max ]; do
	leaf=${leaf%/*}
	[ "$leaf" = /sys/fs ] && break
done
is memory.max "$(cat "$leaf/memory.max")" $((64 << 20))
pids=$(cat "$leaf/pids.max")
[ "$pids" -ge 16 ] && [ "$pids" -le 18 ] && ok "pids.max: $pids" || bad "pids.max: $pids"
wait $call || bad "the sleeping call: $?"
is memory "$(outcome argv:='["python3","-c","x = bytearray(256 << 20)"]')" oom
is pids "$(outcome argv:='["python3","-c","import os, time\nfor i in range(64):\n  if os.fork() == 0: time.sleep(20); os._exit(0)"]')" pids
is 'the unit after both' "$(show ActiveState)" active

# ---- the journal ---------------------------------------------------------------------------------
sleep 1
id=$(jq -r '._meta["callgate/call"].id' /tmp/approved.json)
fields() { journalctl -u callgate -o json --no-pager "$@"; }
line=$(fields "CALLGATE_CALL_ID=$id" | tail -n 1)
is 'fields of the approved call' "$(jq -r '[.MESSAGE_ID, .PRIORITY, .SYSLOG_IDENTIFIER, .CALLGATE_COMPONENT,
	.CALLGATE_ACTION, .CALLGATE_TOOL, .CALLGATE_DECISION, .CALLGATE_BY, .CALLGATE_OUTCOME] | join(" ")' <<<"$line")" \
	'7199cdc5fa0729df3758e610be1a1bb9 6 callgated engine call build allow approval completed'
is 'and who sent them' "$(jq -r '._SYSTEMD_UNIT + " " + ._COMM' <<<"$line")" 'callgate.service callgate-engine'
is 'refused calls by field' "$(fields CALLGATE_OUTCOME=refused | wc -l)" 1
is 'start by its id' "$(fields MESSAGE_ID=fc6c85e76462ad1080e3e82ed688cc54 | jq -r .CALLGATE_COMPONENT)" warden
hostile='{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x\nCALLGATE_TOOL=look\n","arguments":{}}}'
printf '%s\n' "$hostile" | as agent socat -t 10 - "UNIX-CONNECT:$CALLGATE_SOCKET" >/dev/null
sleep 1
is 'a hostile name is one field' "$(fields CALLGATE_OUTCOME=refused | tail -n 1 | jq -r .CALLGATE_TOOL)" \
	'x\x0aCALLGATE_TOOL=look\x0a'

# ---- reload --------------------------------------------------------------------------------------
version() { as human callgate --output json status | jq -r .policy.version; }
settled() { # TEXT: waits until systemd shows it
	for _ in $(seq 100); do
		[ "$(show StatusText)" = "$1" ] && return 0
		sleep 0.3
	done
}
first=$(version)
agent call stress command='sleep 12' >/dev/null &
call=$!
cp /etc/callgate/callgate.yaml /tmp/good.yaml
echo 'nonsense: true' >>/etc/callgate/callgate.yaml
systemctl reload callgate
settled 'taking calls; the last reload was refused, the old policy is in force'
is 'status after a broken policy' "$(show StatusText)" \
	'taking calls; the last reload was refused, the old policy is in force'
is 'policy after a broken policy' "$(version)" "$first"
sed 's/allowed_commands: \[ls, cat, /allowed_commands: [cat, /' /tmp/good.yaml >/etc/callgate/callgate.yaml
systemctl reload callgate || bad "systemctl reload: $?"
settled 'taking calls'
[ "$(version)" != "$first" ] && ok "another policy" || bad "the policy did not change"
agent call look command=ls >/dev/null
is 'exit of what is refused now' $? 2
wait $call && ok "a running call survived both" || bad "a running call: $?"

# ---- a lost part, and the end --------------------------------------------------------------------
pkill -KILL -x callgate-engine
for _ in $(seq 100); do
	[ "$(show NRestarts)" = 1 ] && [ "$(show ActiveState)" = active ] && break
	sleep 0.5
done
is 'restarts after a lost part' "$(show NRestarts) $(show ActiveState)" '1 active'
agent call look command='cat a' >/dev/null && ok "calls are taken again" || bad "no calls after a restart"
systemctl stop callgate && ok "systemctl stop" || bad "systemctl stop"
is result "$(show Result)" success
is 'control groups left' "$(find /sys/fs/cgroup/system.slice/callgate.service -mindepth 1 -type d 2>/dev/null | wc -l)" 0
is 'processes left' "$(pgrep -c callgate)" 0
callgate audit verify /var/lib/callgate/audit | head -n 1
callgate audit verify /var/lib/callgate/audit >/dev/null && ok "audit verify" || bad "audit verify"

# ---- sockets of systemd: JSON-RPC, and HTTP on a port that is root's ------------------------------
install -m 644 "$examples/systemd/callgate.socket" /etc/systemd/system/
sed 's|^ListenStream=.*|ListenStream=127.0.0.1:443|' "$examples/systemd/callgate-http.socket" \
	>/etc/systemd/system/callgate-http.socket
cp /etc/callgate/callgate.yaml /tmp/unix-only.yaml
sed -i 's|^server:$|&\n  port: 443|' /etc/callgate/callgate.yaml
systemctl daemon-reload
systemctl start callgate.socket callgate-http.socket || bad "systemctl start of the sockets"
health() { curl -s -m 20 http://127.0.0.1:443/health | jq -r .status; }
is 'health by the socket alone' "$(health)" ok
is 'the service that it started' "$(show ActiveState)" active
as agent callgate call look command='cat a' >/dev/null && ok "a call by the handed socket" || bad "a call: $?"
is 'uid of callgate-front-http' "$(ps -o user= -C callgate-front- | sort -u)" callgate
pid=$(pgrep -x callgate-front-)
kill -KILL "$pid"
for _ in $(seq 100); do
	[ -n "$(pgrep -x callgate-front-)" ] && [ "$(pgrep -x callgate-front-)" != "$pid" ] && break
	sleep 0.3
done
is 'health after the HTTP front was lost' "$(health)" ok
leaf=$(sed 's/^0:://' "/proc/$(pgrep -x callgate-front-)/cgroup")
case $leaf in /system.slice/callgate.service*) ok "and it is in the unit's control group" ;; *) bad "its control group: $leaf" ;; esac
ino=$(stat -c %i /run/callgate/callgate.sock)
systemctl restart callgate || bad "systemctl restart"
is 'the socket after a restart' "$(stat -c %i /run/callgate/callgate.sock)" "$ino"
is 'health after a restart' "$(health)" ok
systemctl stop callgate.socket callgate-http.socket callgate && ok "systemctl stop of all" || bad "systemctl stop of all"
cp /tmp/unix-only.yaml /etc/callgate/callgate.yaml

# ---- one person's own service --------------------------------------------------------------------
home=/home/human uid=$(id -u human)
mkdir -p $home/.local $home/.config/callgate $home/.config/systemd/user $home/workspace
cp -a usr/. $home/.local/
cp "$examples/systemd/callgate-user.service" $home/.config/systemd/user/callgate.service
sed "s|\${CALLGATE_UID}|$uid|; s|\./workspace|$home/workspace|; /^server:/,/^$/d" \
	"$examples/minimal/callgate.yaml" >$home/.config/callgate/callgate.yaml
chown -R human: $home
# no logind and its PAM module in this guest, which would say where the manager's folder is
mkdir -p /etc/systemd/system/user@.service.d
printf '[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%%i\n' >/etc/systemd/system/user@.service.d/guest.conf
systemctl daemon-reload
systemctl start "user@$uid.service" || bad "a user's manager: $(journalctl -u "user@$uid" --no-pager | tail -n 5)"
mine() { as human env -u CALLGATE_SOCKET XDG_RUNTIME_DIR="/run/user/$uid" "$@"; }
mine systemctl --user daemon-reload
if mine systemctl --user start callgate; then ok "systemctl --user start"; else
	journalctl "_UID=$uid" --no-pager | tail -n 20
	bad "systemctl --user start"
fi
layers=$(mine callgate --output json call bash command=ls | jq -r '._meta["callgate/call"].layers | join(" ")')
echo "layers: $layers"
case $layers in *cgroup:v2*limits:cgroup*) ok "a user's delegated control groups" ;; *) bad "user's layers" ;; esac
mine systemctl --user reload callgate || bad "systemctl --user reload"
mine systemctl --user stop callgate && ok "systemctl --user stop" || bad "systemctl --user stop"
mine callgate audit verify >/dev/null && ok "the user's audit verify" || bad "the user's audit verify"
exit $failed
