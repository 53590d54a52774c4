#!/bin/sh
# Calls that do not occur in this house, calls that occur in one room only, and unfinished words.
set -u
cd "$(dirname "$0")/../.." || exit 2
bad=0
sources=$(tests/lint/sources.sh | grep -v '^tests/')
code() { # the sources without comments and strings, as file:line:text
	# shellcheck disable=SC2086
	for file in $sources; do
		[ -f "$file" ] && sed -e 's/"\([^"\\]\|\\.\)*"/""/g' -e 's://.*$::' "$file" |
			awk -v f="$file" '{
				line = $0
				if (inside) { if ((e = index(line, "*/")) == 0) next; line = substr(line, e + 2); inside = 0 }
				while ((s = index(line, "/*")) > 0) {
					rest = substr(line, s + 2); e = index(rest, "*/")
					if (e == 0) { line = substr(line, 1, s - 1); inside = 1; break }
					line = substr(line, 1, s - 1) substr(rest, e + 2)
				}
				if (line ~ /[^ \t]/) printf "%s:%d:%s\n", f, NR, line
			}'
	done
}
text=$(code)
forbid() { # pattern, where it may stand (regex of files), why
	found=$(printf '%s\n' "$text" | grep -E "(^|[^A-Za-z0-9_.>])($1)[ ]*\(" |
		grep -vE "^($2):" || true)
	if [ -n "$found" ]; then
		printf '%s\n' "$found" | sed "s/\$/    <- $3/"
		bad=1
	fi
}
none='no-file'
forbid 'system|popen|strcpy|strcat|sprintf|vsprintf|atoi|atol|gets|strtok|alloca|tmpnam|mktemp' \
	$none 'banned'
forbid 'execl|execlp|execle|execvp|execvpe' $none 'exec by path search is not for a gate'
forbid 'chroot' $none 'pivot_root only'
forbid 'pthread_create|uv_queue_work|uv_thread_create' $none 'no threads'
forbid 'getaddrinfo' 'supervisor/courier/resolver\.c' 'it blocks; names are courier'"'"'s business'
forbid 'uv_spawn' $none 'children are started by warden/children.c'
forbid 'fork|vfork' 'sandbox/(cell_init|zygote|host)\.c|supervisor/warden/(children|config)\.c|supervisor/auditor/signer\.c|supervisor/control/[a-z_]+\.c|sandbox/mount\.c|supervisor/warden/(attach|nursery|overlays_try|keeper/keeper)\.c' \
	'fork has its rooms'
forbid 'setuid|setgid|seteuid' 'supervisor/warden/children\.c|sandbox/.*' 'use setresuid'
forbid 'strncpy' $none 'use snprintf or memcpy'
# shellcheck disable=SC2086
words=$(grep -nE '\b(TODO|FIXME|XXX|HACK|unimplemented|placeholder|not implemented)\b' $sources || true)
if [ -n "$words" ]; then
	printf '%s\n' "$words" | sed 's/$/    <- unfinished/'
	bad=1
fi
exit $bad
