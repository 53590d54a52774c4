#!/bin/sh
# usage: hardening.sh PROGRAM...   PIE, full RELRO, no executable stack, stack protector, fortify.
set -u
bad=0
for program in "$@"; do
	fault() {
		echo "$program: $1"
		bad=1
	}
	readelf -h "$program" | grep -q 'Type:.*DYN' || fault 'not position independent'
	readelf -d "$program" | grep -q 'BIND_NOW' || fault 'no immediate binding'
	readelf -lW "$program" | grep -q 'GNU_RELRO' || fault 'no RELRO'
	readelf -lW "$program" | grep 'GNU_STACK' | grep -q 'RWE' && fault 'executable stack'
	readelf -sW "$program" | grep -q '__stack_chk_fail' || fault 'no stack protector'
	readelf -sW "$program" | grep -q '_chk@' || fault 'no fortified call'
done
exit $bad
