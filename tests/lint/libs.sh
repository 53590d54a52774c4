#!/bin/sh
# usage: libs.sh PROGRAM "sonames it may need"...   in pairs
# Each built program needs at most the libraries its row in the Makefile names (and libc).
set -u
bad=0
while [ $# -ge 2 ]; do
	program=$1 may=$2
	shift 2
	for needed in $(readelf -d "$program" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		case $needed in
		libc.so.* | ld-linux* | libasan.so* | libubsan.so* | libm.so.*) continue ;;
		esac
		stem=${needed%%.so*}
		case " $may " in
		*" $stem "*) ;;
		*)
			echo "$program: needs $needed, which is not on its list ($may)"
			bad=1
			;;
		esac
	done
done
exit $bad
