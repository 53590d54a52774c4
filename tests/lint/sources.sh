#!/bin/sh
# Every C file and header of the tree, one a line, but those of the examples' workspaces. Not git's
# list: that is empty in a tarball, and for a user whom git does not trust with this checkout, and
# nothing would be judged.
cd "$(dirname "$0")/../.." || exit 2
find . \( -path ./build -o -path ./examples -o -name .git -o -name node_modules \) -prune -o -name '*.[ch]' -print |
	sed 's:^\./::' | LC_ALL=C sort
