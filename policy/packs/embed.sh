#!/bin/sh
# Prints one C file that holds the given pack files as strings: embed.sh policy/packs/*.yaml
set -eu
echo '#include <stddef.h>'
echo '#include "policy/pack_text.h"'
echo 'const struct pack_embedded pack_texts[] = {'
for file in $(printf '%s\n' "$@" | LC_ALL=C sort); do
	printf '{"%s",\n' "$(basename "$file" .yaml)"
	LC_ALL=C sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$/\\n"/' "$file"
	echo '},'
done
echo '{NULL, NULL},'
echo '};'
echo 'const char *const pack_text_names[] = {'
for file in $(printf '%s\n' "$@" | LC_ALL=C sort); do
	printf '"%s",\n' "$(basename "$file" .yaml)"
done
echo 'NULL,'
echo '};'
