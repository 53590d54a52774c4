// usage: URL=…/mcp KEY=… http_clients.mjs: the official client libraries over streamable HTTP: the old
// era (SDK version 1) and the new one (version 2, negotiated and pinned). Each lists tools, makes an
// allowed and a refused call, gives up on a slow one, and is turned away without its key.
import assert from 'node:assert/strict';

const url = new URL(process.env.URL);
const headers = { Authorization: `Bearer ${process.env.KEY}` };
const text = (content) => content.map((part) => part.text ?? '').join('\n');

const check = async (client, call) => {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).sort(), ['ask', 'look']);
  const seen = await call({ name: 'look', arguments: { command: 'cat hello' } });
  assert.equal(seen.structuredContent.stdout, 'hello\n');
  const refused = await call({ name: 'look', arguments: { command: 'rm hello' } });
  assert.equal(refused.isError, true);
  assert.match(text(refused.content), /Refused by callgate/);
  await assert.rejects(call({ name: 'nothing', arguments: {} }), /Unknown tool: nothing/);
  const progress = [];
  await call({ name: 'look', arguments: { command: 'sleep 0.5' } }, { onprogress: (p) => progress.push(p.progress) });
  for (let i = 1; i < progress.length; i++) assert.ok(progress[i] > progress[i - 1]);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 500);
  await assert.rejects(call({ name: 'look', arguments: { command: 'sleep 4712' } }, { signal: abort.signal }));
};

{
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const open = async (requestInit) => {
    const client = new Client({ name: 'integration', version: '1' }, { capabilities: {} });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
    return client;
  };
  const client = await open({ headers });
  await check(client, (params, options) => client.callTool(params, undefined, options));
  await client.close();
  await assert.rejects(open({}), /credential|401|nauthorized/);
  console.log('sdk 1: ok');
}
{
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  for (const mode of ['auto', { pin: '2026-07-28' }]) {
    const client = new Client({ name: 'integration', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
    assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
    await check(client, (params, options) => client.callTool(params, options));
    await client.close();
  }
  console.log('sdk 2: ok');
}
process.exit(0);
