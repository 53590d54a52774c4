# The official MCP client from npm, through `callgate mcp`: git, grep, gcc and python in a real
# repository under policies that allow exactly that; rm, curl, outside writes and shadow refused.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
agents:
  coder: {tools: [look, build, test]}
tools:
  look: {type: command, deny_by_default: true, allowed_commands: [git, grep, cat, ls]}
  build: {type: command, deny_by_default: true, allowed_commands: [gcc]}
  test: {type: command, deny_by_default: true, allowed_commands: [python3]}
EOF
cd workspace || exit 2
git init -q . && git config user.email t@example && git config user.name T
cat >hello.c <<'EOF'
#include <stdio.h>
int main(void) { puts("needle"); return 0; }
EOF
cat >test_sum.py <<'EOF'
import unittest
class T(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(1 + 1, 2)
EOF
git add . && git commit -qm 'the first commit' || exit 2
cd ..
up
command -v node >/dev/null || fail "node is missing"
[ -d "$IT_NPM" ] || fail "the npm packages are missing"
ln -s "$IT_NPM" node_modules
cp "$IT_TESTS/official_client.mjs" .
CALLGATE=$callgate node official_client.mjs || fail "the client: $?"
[ -x workspace/hello ] || fail "gcc left no program"
[ ! -e outside ] || fail "a write outside the workspace reached the host"
[ -e workspace/hello.c ] || fail "hello.c is gone"
down
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
