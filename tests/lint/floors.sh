#!/bin/sh
# Includes go downwards only, and never sideways between processes or between floor-1 areas.
# The table is the house of supervisor/doc/architecture.md.
set -u
cd "$(dirname "$0")/../.." || exit 2

allowed() { # folder: what it may include besides itself
	case $1 in
	supervisor/base) echo "" ;;
	supervisor/evidence | policy | sandbox | sandbox/functions | agent-api/wire | agent-api/http)
		echo "supervisor/base"
		;;
	supervisor/identity) echo "supervisor/base supervisor/evidence" ;;
	supervisor/link) echo "supervisor/base supervisor/evidence" ;;
	supervisor/loader) echo "supervisor/base policy sandbox" ;;
	supervisor/warden)
		echo "supervisor/base supervisor/evidence supervisor/link policy sandbox"
		;;
	supervisor/engine)
		echo "supervisor/base supervisor/evidence supervisor/link supervisor/identity policy sandbox agent-api/wire"
		;;
	supervisor/auditor | supervisor/courier) echo "supervisor/base supervisor/evidence supervisor/link sandbox" ;;
	agent-api/front)
		echo "supervisor/base supervisor/evidence supervisor/link sandbox agent-api/wire"
		;;
	agent-api/web)
		echo "supervisor/base supervisor/evidence supervisor/link sandbox agent-api/wire agent-api/http"
		;;
	supervisor/control)
		echo "supervisor/base supervisor/evidence policy sandbox agent-api/wire"
		;;
	*) echo "?" ;;
	esac
}

# The rooms of engine are one archive, but not everybody goes everywhere: what is told outward
# (hooks, methods) is known to few, and who asks (access) knows nothing of what is asked.
room_may() { # room: the rooms it may include from, besides itself and the hall
	case $1 in
	hall) echo "records access calls asking approvals effects hooks methods" ;;
	records) echo "access calls approvals effects" ;;
	access) echo "records calls" ;;
	calls) echo "records access asking approvals effects" ;;
	asking) echo "records access calls approvals" ;;
	approvals) echo "records access calls asking effects hooks" ;;
	effects) echo "records calls approvals" ;;
	hooks) echo "records access approvals" ;;
	methods) echo "records access calls asking approvals effects" ;;
	# warden: everybody asks the keeper through its hall, and it asks nobody
	warden) echo "keeper" ;;
	keeper) echo "" ;;
	*) echo "?" ;;
	esac
}
room_of() { # folder
	case $1 in
	supervisor/engine) echo hall ;;
	supervisor/engine/*) echo "${1#supervisor/engine/}" ;;
	supervisor/warden) echo warden ;;
	supervisor/warden/*) echo "${1#supervisor/warden/}" ;;
	*) echo "" ;;
	esac
}
floor_of() { # folder: the floor that it counts for
	case $1 in
	supervisor/engine/*) echo supervisor/engine ;;
	supervisor/warden/*) echo supervisor/warden ;;
	*) echo "$1" ;;
	esac
}
# Of sandbox, roles other than the warden may use only these.
sandbox_public="sandbox/self.h sandbox/layer.h"

bad=0
for file in $(tests/lint/sources.sh | grep -v '^tests/'); do
	[ -f "$file" ] || continue
	room=$(room_of "$(dirname "$file")")
	folder=$(floor_of "$(dirname "$file")")
	may=$(allowed "$folder")
	[ "$(room_may "$room")" = "?" ] && [ -n "$room" ] && may="?"
	if [ "$may" = "?" ]; then
		echo "$file: folder is on no floor; add it to tests/lint/floors.sh and architecture.md"
		bad=1
		continue
	fi
	for included in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file"); do
		target=$(dirname "$included")
		other=$(room_of "$target")
		target=$(floor_of "$target")
		if [ -n "$room" ] && [ -n "$other" ] && [ "$other" != hall ] && [ "$other" != "$room" ]; then
			case " $(room_may "$room") " in
			*" $other "*) ;;
			*)
				echo "$file: may not include $included (room $room may use: $(room_may "$room"))"
				bad=1
				;;
			esac
		fi
		[ "$target" = "$folder" ] && continue
		if [ "$target" = . ]; then
			echo "$file: includes \"$included\" by a relative name; write it from the top folder"
			bad=1
			continue
		fi
		case " $may " in
		*" $target "*) ;;
		*)
			echo "$file: may not include $included ($folder may use: $may)"
			bad=1
			;;
		esac
		if [ "$target" = sandbox ] && [ "$folder" != supervisor/warden ] && [ "$folder" != supervisor/control ]; then
			case " $sandbox_public " in
			*" $included "*) ;;
			*)
				echo "$file: may not include $included (only the warden makes cells)"
				bad=1
				;;
			esac
		fi
		if [ "$included" = policy/load.h ] && [ "$folder" != supervisor/loader ] && [ "$folder" != supervisor/control ] && [ "$folder" != policy ]; then
			echo "$file: may not include $included (YAML is parsed in the policy child only)"
			bad=1
		fi
	done
done
exit $bad
