// Approval by the client, in both eras, on the raw socket and with the official clients.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { Line, modern } from './raw.mjs';

const FORM = (message) => message.method === 'elicitation/create';
const WITHDRAWN = (message) => message.method === 'notifications/cancelled';
const CAPABLE = { elicitation: {} };
const touch = (name, file) => ({ name, arguments: { argv: ['touch', file] } });
const made = (file) => fs.existsSync(`workspace/${file}`);
const outcome = (message) => message.result._meta['callgate/call'].outcome;
const approve = { action: 'accept', content: { decision: 'approve', reason: 'it is fine' } };
const deny = { action: 'accept', content: { decision: 'deny', reason: 'not today' } };

async function legacy() {
  const line = await Line.open();
  await line.initialize('2025-11-25', CAPABLE);
  const other = await Line.open();
  await other.initialize('2025-06-18', CAPABLE);
  const start = async (name, file, on = line) => {
    const id = on.request('tools/call', touch(name, file));
    return [id, await on.hear(FORM)];
  };
  const reply = (form, result, on = line) => on.say({ jsonrpc: '2.0', id: form.id, result });

  let [id, form] = await start('ask', 'a');
  assert.match(form.params.message, /^Run touch a\?/);
  assert.match(form.params.message, /bin\/touch/); // the plan, not only its name
  assert.equal(form.params.mode, 'form');
  assert.deepEqual(form.params.requestedSchema.required, ['decision']);
  reply(form, approve, other); // not asked, and so without a say
  await line.quiet((message) => message.id === id);
  assert.ok(!made('a'));
  reply(form, approve);
  let done = await line.answer(id);
  assert.equal(done.result.isError, false, JSON.stringify(done));
  assert.equal(done.result._meta['callgate/call'].by, 'approval');
  assert.ok(made('a'));
  reply(form, approve); // once

  [id, form] = await start('ask', 'b');
  reply(form, deny);
  done = await line.answer(id);
  assert.equal(outcome(done), 'refused');
  assert.match(done.result.content[0].text, /answered in the client: not today/);
  [id, form] = await start('ask', 'b2', other);
  assert.ok(!('mode' in form.params)); // younger than 2025-06-18
  reply(form, { action: 'decline' }, other);
  assert.equal(outcome(await other.answer(id)), 'refused');

  for (const [file, answer] of [['c', { action: 'cancel' }], ['c2', { action: 'accept', content: { decision: 'sure' } }], ['c3', 'yes']]) {
    [id, form] = await start('ask', file);
    reply(form, answer);
    assert.equal(outcome(await line.answer(id)), 'pending'); // other approvers still may
  }
  [id, form] = await start('ask', 'd');
  line.say({ jsonrpc: '2.0', id: form.id, error: { code: -32601, message: 'no forms here' } });
  assert.equal(outcome(await line.answer(id)), 'pending');

  [id, form] = await start('reasoned', 'e');
  assert.deepEqual(form.params.requestedSchema.required, ['decision', 'reason']);
  reply(form, { action: 'accept', content: { decision: 'approve' } });
  assert.equal(outcome(await line.answer(id)), 'pending');

  // answered late, after the call was told to come again: it finds the answer
  [id, form] = await start('ask', 'late');
  assert.equal(outcome(await line.answer(id)), 'pending');
  reply(form, approve);
  assert.equal(outcome(await line.ask('tools/call', touch('ask', 'late'))), 'completed');

  // a form nobody needs any more is withdrawn
  [id, form] = await start('ask', 'f');
  line.notify('notifications/cancelled', { requestId: id });
  assert.equal((await line.hear(WITHDRAWN)).params.requestId, form.id);
  reply(form, approve);

  // where the policy or the client does not want it, nobody is asked
  for (const name of ['strict', 'two'])
    assert.equal(outcome(await line.ask('tools/call', touch(name, 'g'))), 'pending');
  const plain = await Line.open();
  await plain.initialize('2025-11-25', {});
  assert.equal(outcome(await plain.ask('tools/call', touch('ask', 'h'))), 'pending');
  const old = await Line.open();
  await old.initialize('2025-03-26', CAPABLE);
  assert.equal(outcome(await old.ask('tools/call', touch('ask', 'i'))), 'pending');
  for (const each of [line, other, plain, old]) {
    assert.ok(!each.heard.some(FORM), JSON.stringify(each.heard));
    each.close();
  }
  for (const file of ['b', 'b2', 'c', 'c2', 'c3', 'd', 'e', 'f', 'g', 'h', 'i']) assert.ok(!made(file), file);
}

async function statesOfTheModernEra() {
  const line = await Line.open();
  const call = async (params, capabilities = CAPABLE, meta = {}) =>
    line.ask('tools/call', modern(params, capabilities, meta));
  const asked = async (file, name = 'ask') => {
    const { result } = await call(touch(name, file));
    assert.equal(result.resultType, 'input_required', JSON.stringify(result));
    assert.equal(result._meta['callgate/call'].outcome, 'pending');
    assert.equal(result.inputRequests.approval.method, 'elicitation/create');
    assert.equal(result.inputRequests.approval.params.mode, 'form');
    return result.requestState;
  };
  const withAnswer = (file, requestState, answer, name = 'ask') =>
    ({ ...touch(name, file), requestState, inputResponses: { approval: answer, more: {} } });
  const refused = async (params, code, ...more) => {
    const { error } = await call(params, ...more);
    assert.equal(error?.code, code, JSON.stringify(params));
    return error;
  };

  let state = await asked('m1');
  await refused(withAnswer('m1', `${state.slice(0, 4)}${state[4] === 'A' ? 'B' : 'A'}${state.slice(5)}`, approve), -32602);
  await refused(withAnswer('m1', state.slice(0, -4), approve), -32602);
  await refused(withAnswer('m1', '', approve), -32602);
  await refused(withAnswer('m1', state, approve, 'reasoned'), -32602); // another tool's
  await refused(withAnswer('m1', state, approve), -32602, CAPABLE, { 'callgate/namespace': 'other' });
  const incapable = await refused(withAnswer('m1', state, approve), -32021, {});
  assert.ok('elicitation' in incapable.data.requiredCapabilities);
  assert.ok(!made('m1'));
  const done = await call(withAnswer('m1', state, approve));
  assert.equal(done.result.resultType, 'complete');
  assert.equal(outcome(done), 'completed');
  assert.ok(made('m1'));
  await refused(withAnswer('m1', state, approve), -32602); // once

  // an answer without a state, sent ahead, approves nothing
  const ahead = (await call({ ...touch('ask', 'm0'), inputResponses: { approval: approve } })).result;
  assert.equal(ahead.resultType, 'input_required');
  assert.ok(!made('m0'));

  // an answer is to one plan: other arguments are asked about anew
  state = await asked('m2');
  const swapped = await call(withAnswer('m3', state, approve));
  assert.equal(swapped.result.resultType, 'input_required');
  assert.ok(!made('m2') && !made('m3'));

  // no answer, or none that counts: asked again, with another state
  state = await asked('m4');
  for (const answer of [undefined, { action: 'cancel' }, { action: 'accept', content: { decision: 'maybe' } }]) {
    const again = (await call(withAnswer('m4', state, answer))).result;
    assert.equal(again.resultType, 'input_required');
    assert.notEqual(again.requestState, state);
    state = again.requestState;
  }
  const no = await call(withAnswer('m4', state, deny));
  assert.equal(outcome(no), 'refused');
  assert.equal(no.result.isError, true);
  assert.ok(!made('m4'));

  // ten forms for one question: the oldest are void
  const states = [];
  for (let i = 0; i < 10; i++) states.push(await asked('m5'));
  assert.equal(new Set(states).size, 10);
  await refused(withAnswer('m5', states[0], approve), -32602);

  // another policy in force: the question is void, and its states with it
  fs.copyFileSync('policy.next', 'callgate.yaml');
  execFileSync(process.env.CALLGATE, ['reload']);
  await refused(withAnswer('m5', states[9], approve), -32602);

  for (const [name, capabilities] of [['strict', CAPABLE], ['two', CAPABLE], ['ask', {}], ['ask', { elicitation: { url: {} } }]]) {
    const held = await call(touch(name, `m6-${Object.keys(capabilities).length}`), capabilities);
    assert.equal(held.result.resultType, 'complete');
    assert.equal(outcome(held), 'pending');
  }
  line.close();
}

async function officialClients() {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
  const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
  const server = { command: process.env.CALLGATE, args: ['mcp'], env: process.env };
  const info = { name: 'integration', version: '1.0.0' };
  const sdk = new Client(info, { capabilities: CAPABLE });
  sdk.setRequestHandler(ElicitRequestSchema, () => approve);
  await sdk.connect(new StdioClientTransport(server));
  assert.ok(!(await sdk.callTool(touch('ask', 'sdk'))).isError);
  assert.ok(made('sdk'));
  await sdk.close();

  const v2 = await import('@modelcontextprotocol/client');
  const stdio = await import('@modelcontextprotocol/client/stdio');
  const client = new v2.Client(info, { capabilities: CAPABLE, versionNegotiation: { mode: 'auto' } });
  client.setRequestHandler('elicitation/create', () => approve);
  await client.connect(new stdio.StdioClientTransport(server));
  assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
  assert.ok(!(await client.callTool(touch('ask', 'v2'))).isError);
  assert.ok(made('v2'));
  await client.close();
}

await legacy();
await statesOfTheModernEra();
await officialClients();
console.log('elicit: ok');
process.exit(0);
