#!/bin/bash
# Inside the guest: callgate under systemd's cgroup v2 on Debian 12's own kernel. Runs as root in
# the folder with the install tree. Every line that begins with FAIL fails the run.
set -u
failed=0
ok() { echo "ok   $*"; }
bad() {
	echo "FAIL $*"
	failed=1
}
uname -r
cp -a usr/. /usr/
stat -fc %T /sys/fs/cgroup
useradd -m tester
mkdir -p /srv/gate/workspace
cat >/srv/gate/callgate.yaml <<'EOF'
version: 1
roles:
  agent: {tools: ["*"], permissions: [daemon:control]}
  human: {approve: ["*"], permissions: [approvals:read, approvals:decide]}
principals:
  - {peer_uid: 0, roles: [agent, human]}
  - {peer_uid: 1000, roles: [agent]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  bash:
    type: command
    deny_by_default: true
    allowed_commands: [ls, cat, sh, python3, sleep]
    max_execution_time: 60s
    sandbox: {memory: 64MiB, pids: 16}
  build: {type: command, deny_by_default: true, allowed_commands: [cp], require_approval: true}
  strict: {type: command, deny_by_default: true, allowed_commands: [ls], sandbox: {require: [cgroup, limits, seccomp, landlock]}}
EOF
sed -i '1a server: {socket: {path: run/gate.sock, mode: "0666"}}' /srv/gate/callgate.yaml
chmod 755 /srv/gate
export CALLGATE_SOCKET=/srv/gate/run/gate.sock
# A unit as an administrator writes one: Delegate=yes, and no directive that masks /proc.
cat >/etc/systemd/system/callgate.service <<'EOF'
[Service]
Type=notify
Delegate=yes
ExecStart=/usr/sbin/callgated --config /srv/gate/callgate.yaml --state /var/lib/callgate
ExecReload=/bin/kill -HUP $MAINPID
EOF
systemctl daemon-reload
if systemctl start callgate; then ok "systemd start (READY=1)"; else
	journalctl -u callgate --no-pager | tail -n 20
	bad "systemd start"
	exit 1
fi
chmod 755 /srv/gate/run
layers=$(callgate --output json call bash command=ls | jq -r '._meta["callgate/call"].layers | join(" ")')
echo "layers: $layers"
case $layers in *cgroup:v2*) ok "cgroup v2 attested" ;; *) bad "cgroup v2 not attested" ;; esac
case $layers in *limits:cgroup*) ok "limits by cgroup" ;; *) bad "limits not by cgroup" ;; esac
callgate call strict command=ls >/dev/null && ok "require: cgroup" || bad "require: cgroup"
callgate call bash command='rm x' >/dev/null
[ $? = 2 ] && ok "refused" || bad "rm was not refused"
outcome() { callgate --output json call bash "$@" | jq -r '._meta["callgate/call"].outcome'; }
got=$(outcome argv:='["python3","-c","x = bytearray(256 << 20)"]')
[ "$got" = oom ] && ok "oom by cgroup" || bad "memory: outcome $got"
got=$(outcome command='sh -c "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done; wait"')
case $got in pids | completed) ok "pids: $got" ;; *) bad "pids: outcome $got" ;; esac
# approved by another uid: tester asks, root answers bare
touch /srv/gate/workspace/a
setpriv --reuid 1000 --regid 1000 --clear-groups env CALLGATE_SOCKET=$CALLGATE_SOCKET callgate call build command='cp a b' &
for _ in $(seq 100); do
	id=$(callgate --output json pending | jq -r '.approvals[0].id // empty')
	[ -n "$id" ] && break
	sleep 0.3
done
callgate approve "$id" >/dev/null && wait $! && [ -e /srv/gate/workspace/b ] && ok "approved by another uid" || bad "approval"
systemctl reload callgate && callgate call bash command=ls >/dev/null && ok reload || bad reload
systemctl stop callgate && ok "systemd stop" || bad "systemd stop"
[ -z "$(find /sys/fs/cgroup/system.slice/callgate.service -mindepth 1 -type d 2>/dev/null)" ] && ok "cgroups removed" || bad "cgroups left"
callgate audit verify /var/lib/callgate/audit | head -n 1
callgate audit verify /var/lib/callgate/audit >/dev/null && ok "audit verify" || bad "audit verify"
exit $failed
