// A hostile client of the socket, and a well-behaved one beside it that must be served all the time.
import assert from 'node:assert/strict';
import { Line, modern, sleep } from './raw.mjs';

const call = (...argv) => ({ name: 'bash', arguments: { argv } });
const code = (message) => message?.error?.code;
const others = await Line.open(); // the well-behaved one
let slowest = 0;

async function served() {
  const began = performance.now();
  const answer = await others.ask('callgate/status');
  slowest = Math.max(slowest, performance.now() - began);
  assert.equal(answer.result.state, 'running');
}

// Runs the abuse while somebody else is served.
async function beside(name, abuse) {
  let over = false;
  const watcher = (async () => {
    while (!over) {
      await served();
      await sleep(50);
    }
  })();
  const began = performance.now();
  const said = await abuse();
  over = true;
  await watcher;
  console.log(`${name}: ${said ?? 'as it should be'}, ${Math.round(performance.now() - began)} ms`);
}

async function idsOfEveryType() {
  const line = await Line.open();
  const good = ['0', '-1', '9007199254740993', '-9223372036854775808', '""', `"${'x'.repeat(128)}"`, '"\\u00e9\\n\\""'];
  for (const id of good) line.write(`{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`);
  for (const _ of good) assert.deepEqual((await line.hear((m) => 'result' in m)).result, {});
  const bad = ['null', '1.5', '1e3', 'true', '[]', '{}', '[1]', `"${'x'.repeat(129)}"`];
  for (const id of bad) {
    line.write(`{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`);
    const answer = await line.answer(null);
    assert.equal(code(answer), -32600, id);
  }
  line.write('{"jsonrpc":"2.0","id":9223372036854775808,"method":"ping"}\n'); // no integer we hold
  assert.ok([-32600, -32700].includes(code(await line.answer(null))));
  line.close();
}

async function idsInFlight() {
  const [line, other] = await Promise.all([Line.open(), Line.open()]);
  line.request('tools/call', call('sleep', '2'), 1);
  assert.equal(code(await line.ask('ping', undefined, 1)), -32600);
  assert.equal(code(await line.ask('tools/call', call('ls'), 1)), -32600);
  assert.deepEqual((await line.ask('ping', undefined, '1')).result, {}); // another id
  assert.deepEqual((await other.ask('ping', undefined, 1)).result, {}); // another connection
  for (const requestId of [1, '1', 2, null, {}, 'x'.repeat(5000)])
    other.notify('notifications/cancelled', { requestId }); // not its own
  for (const requestId of ['1', 2, -1, 1.5, null, [1]]) line.notify('notifications/cancelled', { requestId });
  line.notify('notifications/cancelled');
  const kept = await line.answer(1);
  assert.equal(kept.result._meta['callgate/call'].outcome, 'completed');
  line.request('tools/call', call('sleep', '60'), 1); // free again
  line.notify('notifications/cancelled', { requestId: 1 });
  line.notify('notifications/cancelled', { requestId: 1 });
  await line.quiet((message) => message.id === 1);
  assert.equal((await line.ask('ping', undefined, 3)).id, 3);
  line.close();
  other.close();
}

async function forgedCursors() {
  const line = await Line.open();
  const real = (await line.ask('tools/list')).result.nextCursor;
  assert.equal(typeof real, 'string');
  const bytes = Buffer.from(real, 'base64');
  const forged = [...Array(bytes.length * 8).keys()].map((bit) => {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] ^= 1 << (bit & 7);
    return copy.toString('base64');
  });
  forged.push('', 'null', real.toLowerCase(), `${real}=`, 'A'.repeat(900000));
  const answers = await Promise.all(forged.map((cursor, i) => (async () => {
    if (i >= 200) await sleep(20 * Math.floor(i / 200)); // within what may be in flight
    return line.ask('tools/list', { cursor });
  })()));
  assert.ok(answers.every((answer) => code(answer) === -32602));
  line.close();
  return `${forged.length} forged cursors refused`;
}

async function tenThousandInFlight() {
  const line = await Line.open();
  const counts = { full: 0, busy: 0, other: 0 };
  let answered = 0, done;
  const all = new Promise((resolve) => (done = resolve));
  line.waiting.push({
    test: (message) => {
      answered++;
      if (code(message) === 503) counts.full++;
      else if (message.result?._meta['callgate/call'].outcome === 'unavailable') counts.busy++;
      else counts.other++;
      if (answered === 10000 - 64) done();
      return false;
    },
    resolve: () => done(),
  });
  let text = '';
  for (let id = 1; id <= 10000; id++)
    text += `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: call('sleep', '4802') })}\n`;
  line.write(text);
  await all;
  assert.equal(counts.other, 0);
  assert.ok(counts.full > 0, JSON.stringify(counts));
  await sleep(100);
  assert.equal(answered, 10000 - 64); // what may run, runs; every other one has its answer
  line.close();
  return `${counts.full} over what one connection may have in flight (503), ${counts.busy} over what one user may run`;
}

// Who does not read learns of the end by writing.
async function hungUp(line, ms) {
  for (const began = Date.now(); Date.now() - began < ms && !line.ended; await sleep(50))
    line.write('{"jsonrpc":"2.0","method":"notifications/x"}\n');
  return line.ended;
}

async function clientsThatNeverRead() {
  const pinger = await Line.open();
  pinger.socket.pause();
  const ping = '{"jsonrpc":"2.0","id":1,"method":"nonsense and more of it, so that the answer is long"}\n'.repeat(2000);
  for (let i = 0; i < 200 && !pinger.ended; i++) {
    pinger.write(ping);
    await sleep(5);
  }
  assert.ok(await hungUp(pinger, 5000), 'a client that does not read was kept');
  const reader = await Line.open(); // large answers, and progress with them
  reader.socket.pause();
  for (let id = 1; id <= 12; id++)
    reader.request('tools/call', { ...call('cat', 'big'), _meta: { progressToken: id } }, id);
  for (let id = 13; id <= 40; id++) reader.request('tools/call', call('cat', 'big'), id);
  assert.ok(await hungUp(reader, 20000), 'a client that does not read its results was kept');
  pinger.close();
  reader.close();
}

async function halfMessagesForEver() {
  const lines = await Promise.all([...Array(64)].map(() => Line.open()));
  const half = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${'y'.repeat(900000)}`;
  for (const line of lines) line.write(half);
  await sleep(1000);
  const kept = lines.filter((line) => !line.ended);
  assert.ok(kept.length < lines.length, 'a user holds more than a user may'); // the oldest give way
  assert.ok(kept.length >= 16, `only ${kept.length} half messages were kept`);
  kept.at(-1).write('"}}\n'); // a whole one after all
  assert.deepEqual((await kept.at(-1).answer(1)).result, {});
  for (const line of lines) line.close();
}

async function sizes() {
  const head = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"';
  const most = `${head}${'y'.repeat(1024 * 1024 - head.length - 3)}"}}`;
  const line = await Line.open();
  line.write(`${most}\n`);
  assert.deepEqual((await line.answer(1)).result, {});
  line.write(`${most} \n`);
  assert.equal(code(await line.answer(null)), -32600);
  await line.closed;
}

async function badText() {
  const line = await Line.open();
  const deep = (open, close, depth) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":${open.repeat(depth)}1${close.repeat(depth)}}}`;
  const text = (inside) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${inside}"}}`;
  const bad = [
    deep('[', ']', 31), deep('{"a":', '}', 31), deep('[', ']', 100000), '['.repeat(500000), '{"a":'.repeat(100000),
    text('\\u0000'), '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\\u0000":1}}', text('\u0000'),
    text('\\ud800'), text('\\udc00'), text('\\ud800\\ud800'), text('\\ud83dx'), text('\u0001'),
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', '{"jsonrpc":"2.0","id":1,"method":"ping"}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping",}', "{'jsonrpc':'2.0'}", 'NaN', '1e999', '\ufeff{}', 'x'.repeat(100000),
    `[${'1,'.repeat(20000)}1]`,
  ];
  for (const each of bad) {
    line.write(`${each}\n`);
    assert.equal(code(await line.answer(null)), -32700, each.slice(0, 80));
  }
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x00]]) {
    line.socket.write(Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), Buffer.from(bytes), Buffer.from('"}\n')]));
    assert.equal(code(await line.answer(null)), -32700, String(bytes));
  }
  line.write(`${deep('[', ']', 29)}\n`);
  assert.deepEqual((await line.answer(1)).result, {});
  line.write(`${text('\\ud83d\\ude00')}\n`);
  assert.deepEqual((await line.answer(1)).result, {});
  line.close();
  return `${bad.length + 5} refused, the connection goes on`;
}

async function uncalledFor() {
  const line = await Line.open();
  await line.initialize('2025-11-25', { elicitation: {} });
  let text = '';
  for (let i = 0; i < 30000; i++) {
    text += `{"jsonrpc":"2.0","id":"callgate-${i.toString(16).padStart(32, '0')}","result":{"action":"accept"}}\n`;
    text += `{"jsonrpc":"2.0","id":null,"error":{"code":${i},"message":""}}\n`;
    text += `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${i + 10}}}\n`;
    text += `{"jsonrpc":"2.0","method":"notifications/${i}","params":{"x":${i}}}\n`;
  }
  line.write(text);
  assert.deepEqual((await line.ask('ping', undefined, 'after')).result, {});
  assert.equal(line.heard.length, 0); // none of it has an answer
  line.close();
  return '120000 messages';
}

async function handshakesAndStreams() {
  const line = await Line.open();
  for (let i = 0; i < 500; i++) line.request('initialize', { protocolVersion: i % 2 ? '2025-03-26' : '2024-11-05' });
  await line.answer(line.last);
  for (let round = 0; round < 50; round++)
    for (let i = 0; i < 16; i++) {
      line.request('subscriptions/listen', modern({ notifications: { toolsListChanged: true } }), `${round} ${i}`);
      line.notify('notifications/cancelled', { requestId: `${round} ${i}` });
    }
  assert.deepEqual((await line.ask('ping', undefined, 'after')).result, {});
  line.close();
}

await beside('ids of every type', idsOfEveryType);
await beside('ids in flight', idsInFlight);
await beside('forged cursors', forgedCursors);
await beside('sizes', sizes);
await beside('bad text', badText);
await beside('uncalled for', uncalledFor);
await beside('handshakes and streams', handshakesAndStreams);
await beside('half messages', halfMessagesForEver);
await beside('never read', clientsThatNeverRead);
await beside('10,000 in flight', tenThousandInFlight);
await sleep(500);
const after = await others.ask('tools/call', call('ls'));
assert.equal(after.result._meta['callgate/call'].outcome, 'completed');
console.log(`slowest answer to somebody else: ${Math.round(slowest)} ms`);
assert.ok(slowest < 5000, 'somebody else had to wait');
process.exit(0);
