// What an agent's runtime does with callgate, by the official client over stdio.
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const transport = new StdioClientTransport({
  command: process.env.CALLGATE,
  args: ['mcp', '--agent', 'coder'],
  env: process.env,
});
const client = new Client({ name: 'integration', version: '1.0.0' });
await client.connect(transport);

const { tools } = await client.listTools();
assert.deepEqual(tools.map((t) => t.name).sort(), ['build', 'look', 'test']);
for (const tool of tools) assert.equal(tool.inputSchema.type, 'object');

const call = async (name, args) => client.callTool({ name, arguments: args });
const text = (result) => result.content.map((c) => c.text ?? '').join('\n');
const good = async (name, args, pattern) => {
  const result = await call(name, args);
  assert.ok(!result.isError, `${JSON.stringify(args)}: ${text(result)}`);
  assert.match(text(result), pattern);
};
const refused = async (name, args) => {
  const result = await call(name, args);
  assert.equal(result.isError, true, `${JSON.stringify(args)} was not refused`);
  return text(result);
};

await good('look', { command: 'git log --oneline' }, /the first commit/);
await good('look', { command: 'git status --short' }, /^/);
await good('look', { command: 'grep -r needle .' }, /hello\.c/);
await good('build', { argv: ['gcc', '-O1', '-o', 'hello', 'hello.c'] }, /^/);
await good('test', { command: 'python3 -m unittest -v test_sum' }, /OK/);

assert.match(await refused('look', { command: 'rm hello.c' }), /efused/);
assert.match(await refused('look', { command: 'curl http://127.0.0.1/' }), /efused/);
await refused('look', { command: 'cat /etc/shadow' });
// "Outside" may exist as the cell's own /tmp; the case looks at the host's file afterwards.
await call('test', { argv: ['python3', '-c', 'open("../outside", "w").write("x")'] });
await refused('test', { argv: ['python3', '-c', 'open("/etc/outside", "w")'] });
await refused('test', { argv: ['python3', '-c', 'open("/usr/outside", "w")'] });
await refused('test', {
  argv: ['python3', '-c', 'import subprocess; subprocess.run(["/usr/bin/id"], check=True)'],
});
await assert.rejects(call('absent', { command: 'ls' }), /Unknown tool: absent/);

await client.close();
