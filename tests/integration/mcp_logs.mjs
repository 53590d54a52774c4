// usage: URL=…/mcp KEY_A=… KEY_B=… mcp_logs.mjs: log messages of tools, and answers that come with a
// call, on the raw socket and over HTTP, in both eras.
import assert from 'node:assert/strict';
import { Line, modern } from './raw.mjs';

const LOG = (message) => message.method === 'notifications/message';
const LEVEL = 'io.modelcontextprotocol/logLevel';
const chatty = { name: 'chatty', arguments: {} };
const CAPABLE = { elicitation: {} };
const told = (result) => JSON.parse(result.content[0].text);
const levels = (line) => line.heard.filter(LOG).map((message) => message.params.level);
const called = async (line, params) => {
  line.heard = [];
  const { result } = await line.ask('tools/call', params);
  assert.equal(result.isError, false, JSON.stringify(result));
  return result;
};

async function socket() {
  const [line, other] = await Promise.all([Line.open(), Line.open()]);
  assert.deepEqual(told(await called(line, chatty)), { bad: -32700, loud: -32602, big: -32602 });
  assert.deepEqual(levels(line), []); // nobody has asked
  for (const level of ['loud', '', 7, null])
    assert.equal((await line.ask('logging/setLevel', { level })).error.code, -32602);
  assert.deepEqual((await line.ask('logging/setLevel', { level: 'debug' })).result, {});
  await called(line, chatty);
  assert.deepEqual(levels(line), ['debug', 'info', 'error']);
  const { params } = line.heard.find(LOG);
  assert.deepEqual(params, { level: 'debug', logger: 'chatty', data: { words: 'debug\u001b[2J' } });
  await called(line, modern(chatty)); // its own requests alone say what they want
  assert.deepEqual(levels(line), []);
  await called(line, modern(chatty, {}, { [LEVEL]: 'warning' }));
  assert.deepEqual(levels(line), ['error']);
  assert.equal((await line.ask('tools/call', modern(chatty, {}, { [LEVEL]: 'warn' }))).error.code, -32602);
  assert.equal((await line.ask('logging/setLevel', modern({ level: 'debug' }))).error.code, -32601);
  assert.equal((await line.ask('callgate/log', { level: 'info', data: 1 })).error.code, 403); // no tool
  await line.ask('logging/setLevel', { level: 'emergency' });
  await called(line, chatty);
  assert.deepEqual(levels(line), []);
  await called(other, chatty); // another connection of the same user
  assert.deepEqual(levels(other), []);
  const flood = told(await called(line, modern({ name: 'flood', arguments: {} }, {}, { [LEVEL]: 'info' })));
  assert.deepEqual(flood, { first: 1000, last: 429 });
  assert.equal(levels(line).length, 1000);
  for (const each of [line, other]) each.close();
}

async function answersAhead() {
  const line = await Line.open();
  const alice = { action: 'accept', content: { name: 'Alice' } };
  const bob = { action: 'accept', content: { name: 'Bob' } };
  const ask = async (more, capabilities = CAPABLE) =>
    line.ask('tools/call', modern({ name: 'asker', arguments: {}, ...more }, capabilities));
  const ahead = { inputResponses: { user_name: alice, never: { action: 'accept' }, approval: 1 } };
  const first = (await ask(ahead)).result; // the second form of the name is asked
  assert.equal(first.resultType, 'input_required');
  assert.deepEqual(Object.keys(first.inputRequests), ['user_name']);
  const { requestState } = first;
  const done = (await ask({ inputResponses: { user_name: bob }, requestState })).result;
  assert.deepEqual(told(done), { first: alice, second: bob });
  for (const wrong of [12345, { action: 'accept' }, { action: 'accept', content: { name: 7 } }]) {
    const again = (await ask({ inputResponses: { user_name: wrong } })).result;
    assert.equal(again.resultType, 'input_required');
    const no = { inputResponses: { user_name: { action: 'decline' } }, requestState: again.requestState };
    const second = (await ask(no)).result;
    assert.equal(second.resultType, 'input_required');
    await ask({ ...no, requestState: second.requestState });
  }
  assert.equal((await ask(ahead, {})).error.code, -32021);
  const long = { inputResponses: { user_name: { action: 'accept', content: { name: 'x'.repeat(9000) } } } };
  assert.equal((await ask(long)).error.code, -32602);
  const { result } = await line.ask('tools/call', modern({ name: 'consent', arguments: {} }, CAPABLE));
  assert.deepEqual(told(result), { code: -32602 }); // callgate's own name is no tool's
  line.close();
}

// What came back for one POST: the answer, and the levels that were told before.
async function post(key, method, params, more = {}) {
  const response = await fetch(process.env.URL, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
      Authorization: `Bearer ${key}`, 'MCP-Protocol-Version': '2025-11-25', ...more },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const text = await response.text();
  const messages = response.headers.get('content-type').startsWith('application/json')
    ? [JSON.parse(text)]
    : text.split('\n').filter((row) => row.startsWith('data: ')).map((row) => JSON.parse(row.slice(6)));
  return { answer: messages.at(-1), levels: messages.filter(LOG).map((message) => message.params.level) };
}

async function http() {
  const { KEY_A, KEY_B } = process.env;
  assert.equal((await post(KEY_A, 'logging/setLevel', { level: 'loud' })).answer.error.code, -32602);
  assert.deepEqual((await post(KEY_A, 'logging/setLevel', { level: 'info' })).answer.result, {});
  assert.deepEqual((await post(KEY_A, 'tools/call', chatty)).levels, ['info', 'error']);
  assert.deepEqual((await post(KEY_B, 'tools/call', chatty)).levels, []); // another principal
  const plain = await post(KEY_A, 'tools/call', chatty, { Accept: '*/*' });
  assert.ok(plain.answer.result && plain.levels.length === 0); // no stream to tell it on
  const names = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'chatty' };
  assert.deepEqual((await post(KEY_A, 'tools/call', modern(chatty), names)).levels, []);
  const wish = modern(chatty, {}, { [LEVEL]: 'error' });
  assert.deepEqual((await post(KEY_B, 'tools/call', wish, names)).levels, ['error']);
}

await socket();
await answersAhead();
await http();
console.log('logs: ok');
process.exit(0);
