#!/bin/sh
# Prints one C file that holds the given files of the page as strings: embed.sh FILE...
set -eu
echo '#include "agent-api/web/page.h"'
echo 'const struct page_file page_files[] = {'
for file in "$@"; do
	printf '{"%s",\n' "$(basename "$file")"
	LC_ALL=C sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$/\\n"/' "$file"
	printf ', %s},\n' "$(wc -c <"$file")"
done
echo '{NULL, NULL, 0},'
echo '};'
