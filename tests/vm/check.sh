#!/bin/bash
# usage: check.sh [OPTION of battery.sh]...
# Inside the guest, what `make check-vm` runs: the service of examples/systemd, the integration cases
# of overlays, the battery. Fails when one of them did. Runs as root in the folder of run.sh.
set -u
failed=0
# Without KVM a fork takes as long as thirty do outside.
[ "$(systemd-detect-virt)" = kvm ] || export IT_SLOW=6
bash tests/vm/guest.sh || failed=1
CASE_TIMEOUT=900 tests/integration/run.sh build tests/integration/cases/7[345]-*.sh || failed=1
bash tests/vm/battery.sh "$@" || failed=1
exit $failed
