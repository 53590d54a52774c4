// Both eras to the letter, on the raw socket. Each part is one promise of agent-api/PROTOCOL.md.
// usage: mcp_eras.mjs, in a folder with policy.next.yaml, with RELOAD a command that puts it in force.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { Line, modern, sleep } from './raw.mjs';

const LEGACY = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
const callgate = (...args) => execFileSync(process.env.CALLGATE, args, { encoding: 'utf8' });
const ls = { name: 'bash', arguments: { command: 'ls' } };
const LIST_CHANGED = (message) => message.method === 'notifications/tools/list_changed';
const CAPABILITIES = { tools: { listChanged: true }, logging: {} };
const code = async (promise) => (await promise).error?.code;

async function handshakes() {
  for (const version of LEGACY) {
    const line = await Line.open();
    const hello = await line.initialize(version);
    const since = (other) => version >= other;
    assert.equal(hello.protocolVersion, version);
    assert.deepEqual(hello.capabilities, CAPABILITIES);
    assert.equal('title' in hello.serverInfo, since('2025-06-18'));
    const { tools } = (await line.ask('tools/list')).result;
    const bash = tools.find((tool) => tool.name === 'bash');
    assert.equal('annotations' in bash, since('2025-03-26'));
    for (const key of ['outputSchema', 'title', '_meta'])
      assert.equal(key in bash, since('2025-06-18'), `${key} in ${version}`);
    const { result } = await line.ask('tools/call', ls);
    assert.equal('structuredContent' in result, since('2025-06-18'));
    assert.equal(result.content[0].text, 'hello\n');
    assert.ok(!('resultType' in result));
    assert.equal(result._meta['callgate/call'].outcome, 'completed');
    line.write('[{"jsonrpc":"2.0","id":"b1","method":"ping"},{"jsonrpc":"2.0","id":"b2","method":"tools/list"}]\n');
    if (version === '2025-03-26') {
      assert.deepEqual((await line.answer('b1')).result, {});
      assert.ok((await line.answer('b2')).result.tools.length > 0);
    } else {
      assert.equal((await line.answer(null)).error.code, -32600);
    }
    line.close();
  }
  for (const strange of ['1999-01-01', '2099-01-01', '2026-07-28', ''])  {
    const line = await Line.open();
    assert.equal((await line.initialize(strange)).protocolVersion, '2025-11-25');
    line.close();
  }
}

async function everyModernRequestStandsAlone() {
  const line = await Line.open();
  const found = (await line.ask('server/discover', modern())).result;
  assert.deepEqual(found.supportedVersions, ['2026-07-28', ...LEGACY.toReversed()]);
  assert.deepEqual(found.capabilities, CAPABILITIES);
  for (const result of [found, (await line.ask('tools/list', modern())).result]) {
    assert.equal(result.resultType, 'complete');
    assert.equal(result.ttlMs, 0);
    assert.equal(result.cacheScope, 'private');
    assert.equal(result._meta['io.modelcontextprotocol/serverInfo'].name, 'callgate');
  }
  const { result } = await line.ask('tools/call', modern(ls));
  assert.equal(result.resultType, 'complete');
  assert.equal(result.structuredContent.exit_code, 0);
  assert.ok(!('ttlMs' in result));
  const refused = (await line.ask('tools/call', modern({ ...ls, arguments: { command: 'rm x' } }))).result;
  assert.equal(refused.resultType, 'complete');
  assert.equal(refused.isError, true);
  const meta = modern()._meta;
  const [version, capabilities] = Object.keys(meta);
  const only = (...keys) => ({ _meta: Object.fromEntries(keys.map((key) => [key, meta[key]])) });
  assert.equal(await code(line.ask('tools/list', only(version))), -32602);
  assert.equal(await code(line.ask('tools/list', only(capabilities))), -32602);
  assert.equal(await code(line.ask('server/discover', {})), -32602);
  assert.equal(await code(line.ask('ping', modern())), -32601);
  assert.equal(await code(line.ask('initialize', modern({ protocolVersion: '2025-11-25' }))), -32601);
  assert.equal(await code(line.ask('subscriptions/listen', { notifications: {} })), -32601);
  assert.equal(await code(line.ask('prompts/list', modern())), -32601);
  const old = await line.ask('tools/list', modern({}, {}, { [version]: '2025-11-25' }));
  assert.equal(old.error.code, -32022);
  assert.equal(old.error.data.requested, '2025-11-25');
  assert.equal(old.error.data.supported[0], '2026-07-28');
  const answerless = await line.ask('tools/call', modern({ ...ls, inputResponses: { approval: {} } }));
  assert.equal(answerless.error.code, -32021);
  assert.ok('elicitation' in answerless.error.data.requiredCapabilities);
  const capable = { elicitation: {} };
  const forged = { ...ls, requestState: 'Zm9yZ2Vk', inputResponses: {} };
  assert.equal(await code(line.ask('tools/call', modern(forged, capable))), -32602);
  line.close();
}

async function pages(reload) {
  const line = await Line.open();
  const names = [];
  let page, cursors = [];
  do {
    page = (await line.ask('tools/list', modern(cursors.length ? { cursor: cursors.at(-1) } : {}))).result;
    assert.ok(page.tools.length <= 100);
    names.push(...page.tools.map((tool) => tool.name));
    if (page.nextCursor !== undefined) cursors.push(page.nextCursor);
  } while (page.nextCursor !== undefined);
  assert.deepEqual(cursors.length, 2);
  assert.equal(names.length, 232);
  assert.deepEqual(names, names.toSorted());
  assert.equal(new Set(names).size, names.length);
  const again = await line.ask('tools/list', { cursor: cursors[0] }); // the other era, the same list
  assert.equal(again.result.tools[0].name, names[100]);
  const flipped = (cursors[0][5] === 'A' ? 'B' : 'A') + cursors[0].slice(1);
  const bad = ['', 'x', flipped, cursors[0].slice(0, -4), `${cursors[0]}AAAA`, 5, null, {}];
  for (const cursor of bad)
    assert.equal(await code(line.ask('tools/list', { cursor })), -32602, JSON.stringify(cursor));
  const foreign = { cursor: cursors[0], _meta: { 'callgate/namespace': 'other' } };
  assert.equal(await code(line.ask('tools/list', foreign)), -32602);
  reload();
  assert.equal(await code(line.ask('tools/list', { cursor: cursors[0] })), -32602);
  line.close();
}

async function changes(reload) {
  const [legacy, plain, stream] = await Promise.all([Line.open(), Line.open(), Line.open()]);
  await legacy.initialize('2024-11-05');
  await plain.ask('ping');
  const listen = (id, filter) => stream.request('subscriptions/listen', modern({ notifications: filter }), id);
  const tag = (message) => message.params?._meta?.['io.modelcontextprotocol/subscriptionId'];
  listen('a', { toolsListChanged: true, promptsListChanged: true });
  const first = await stream.hear((message) => tag(message) === 'a');
  assert.equal(first.method, 'notifications/subscriptions/acknowledged');
  assert.deepEqual(first.params.notifications, { toolsListChanged: true });
  listen(7, { toolsListChanged: false });
  assert.deepEqual((await stream.hear((message) => tag(message) === 7)).params.notifications, {});
  for (let i = 0; i < 14; i++) listen(`more ${i}`, { toolsListChanged: true });
  assert.equal((await stream.answer(listen('one too many', { toolsListChanged: true }))).error.code, 503);
  assert.equal((await stream.answer(listen('bad', { toolsListChanged: 1 }))).error.code, -32602);
  for (let i = 0; i < 14; i++) await stream.hear((message) => tag(message) === `more ${i}`);
  stream.notify('notifications/cancelled', { requestId: 'more 0' });
  reload();
  assert.ok(!('params' in (await legacy.hear(LIST_CHANGED))));
  const told = new Set();
  for (let i = 0; i < 14; i++) told.add(tag(await stream.hear(LIST_CHANGED)));
  assert.equal(told.size, 14);
  assert.ok(told.has('a') && !told.has(7) && !told.has('more 0'));
  callgate('reload'); // the same file: nothing has changed
  await Promise.all([legacy, plain, stream].map((line) => line.quiet(LIST_CHANGED)));
  await stream.quiet((message) => message.id === 'more 0'); // a cancelled stream has no answer
  return { legacy, plain, stream };
}

async function progress() {
  const line = await Line.open();
  const slow = { name: 'bash', arguments: { argv: ['sh', '-c', 'printf "one\\033"; sleep 0.5; printf "tw\\303"; sleep 0.5; printf "\\251o" >&2; sleep 0.5'] } };
  const isProgress = (message) => message.method === 'notifications/progress';
  for (const token of ['text', 5]) {
    const id = line.request('tools/call', modern(slow, {}, { progressToken: token }));
    const { result } = await line.answer(id);
    const steps = line.heard.filter(isProgress).map((message) => message.params);
    line.heard = [];
    assert.equal(result.content[0].text.slice(0, 4), 'one\u001b');
    assert.ok(steps.length >= 2 && steps.length <= 8, JSON.stringify(steps));
    assert.ok(steps.every((step) => step.progressToken === token));
    assert.equal(steps[0].progress, 4);
    assert.equal(steps[0].message, 'one?'); // nothing for a terminal to act upon
    assert.equal(steps[1].message, 'tw'); // half a character is not shown
    steps.reduce((last, step) => (assert.ok(step.progress > last), step.progress), 0);
    await line.quiet(isProgress); // none after the result
  }
  const old = await Line.open();
  await old.initialize('2024-11-05');
  const id = old.request('tools/call', { ...slow, _meta: { progressToken: 1 } });
  assert.ok(!('message' in (await old.hear(isProgress)).params)); // this revision has no such field
  await old.answer(id);
  old.request('tools/call', slow);
  await old.answer(old.last);
  assert.ok(old.heard.every((message) => message.params?.progressToken === 1)); // no token, no progress
  const waiting = await Line.open();
  const ask = { name: 'asks', arguments: { command: 'ls' }, _meta: { progressToken: 'w' } };
  waiting.request('tools/call', ask);
  assert.match((await waiting.hear(isProgress)).params.message, /^waits for approval [0-9a-f]{12}$/);
  for (const each of [line, old, waiting]) each.close();
}

const policies = fs.readdirSync('.').filter((name) => name.startsWith('policy.next.')).sort();
const reload = () => {
  fs.copyFileSync(policies.shift(), 'callgate.yaml');
  callgate('reload');
};
await handshakes();
await everyModernRequestStandsAlone();
await pages(reload);
await progress();
const { stream } = await changes(reload);
callgate('down');
const last = await stream.answer('a');
assert.equal(last.result.resultType, 'complete');
assert.equal(last.result._meta['io.modelcontextprotocol/subscriptionId'], 'a');
assert.equal((await stream.answer(7)).result._meta['io.modelcontextprotocol/subscriptionId'], 7);
await stream.closed;
await sleep(10);
console.log('eras: ok');
process.exit(0);
