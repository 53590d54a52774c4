// usage: mcp_client.mjs NAME: one client library as an agent's runtime uses it, over `callgate mcp`.
// Each lists the tools, makes an allowed call and a refused one (whose text must say that it was
// refused, and why), and gives up on a slow one, which must end the tool.
import assert from 'node:assert/strict';

const server = { command: process.env.CALLGATE, args: ['mcp'], env: process.env };
const SLOW_MS = 600;
const text = (content) => content.map((part) => part.text ?? '').join('\n');
const refusal = /Refused by callgate, rule callgate\.yaml:\d+:\d+/;
const sleeper = (seconds) => ({ argv: ['sleep', String(seconds)] });
const info = { name: 'integration', version: '1.0.0' };

const clients = {
  // the official client, version 1: initialize of 2025-11-25
  async sdk() {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const client = new Client(info);
    await client.connect(new StdioClientTransport(server));
    assert.deepEqual(client.getServerCapabilities(), { tools: { listChanged: true }, logging: {} });
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name), ['look', 'noisy']);
    for (const tool of tools) {
      assert.equal(tool.inputSchema.type, 'object');
      assert.equal(tool.outputSchema.type, 'object');
      assert.equal(typeof tool.annotations.readOnlyHint, 'boolean');
      assert.equal(tool._meta['callgate/tool'].type, 'command');
    }
    // this client checks structuredContent against outputSchema by itself
    const seen = await client.callTool({ name: 'look', arguments: { command: 'cat hello' } });
    assert.equal(seen.structuredContent.stdout, 'hello\n');
    const refused = await client.callTool({ name: 'look', arguments: { command: 'rm hello' } });
    assert.equal(refused.isError, true);
    assert.match(text(refused.content), refusal);
    await assert.rejects(
      client.callTool({ name: 'look', arguments: sleeper(4701) }, undefined, { timeout: SLOW_MS }),
      /timed out/);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), SLOW_MS);
    await assert.rejects(client.callTool({ name: 'look', arguments: sleeper(4702) }, undefined,
      { signal: abort.signal }));
    await assert.rejects(client.callTool({ name: 'absent', arguments: {} }), /Unknown tool: absent/);
    const progress = [];
    const noisy = { command: 'sh -c "echo one; sleep 0.5; echo two; sleep 0.5; echo three"' };
    await client.callTool({ name: 'noisy', arguments: noisy }, undefined,
      { onprogress: (step) => progress.push(step) });
    assert.ok(progress.length >= 2, JSON.stringify(progress));
    progress.reduce((last, step) => (assert.ok(step.progress > last), step.progress), 0);
    assert.equal(progress.map((step) => step.message).join('').slice(0, 8), 'one\ntwo\n');
    await client.close();
  },

  // the official client, version 2: discovers 2026-07-28
  async client() {
    const { Client } = await import('@modelcontextprotocol/client');
    const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
    const client = new Client(info, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StdioClientTransport(server));
    assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name), ['look', 'noisy']);
    const seen = await client.callTool({ name: 'look', arguments: { command: 'cat hello' } });
    assert.equal(text(seen.content), 'hello\n');
    const refused = await client.callTool({ name: 'look', arguments: { command: 'rm hello' } });
    assert.equal(refused.isError, true);
    assert.match(text(refused.content), refusal);
    await assert.rejects(
      client.callTool({ name: 'look', arguments: sleeper(4703) }, { timeout: SLOW_MS }), /timed out/);
    await client.close();
  },

  async aisdk() {
    const { createMCPClient } = await import('@ai-sdk/mcp');
    const { StdioMCPTransport } = await import('@ai-sdk/mcp/mcp-stdio');
    const client = await createMCPClient({ transport: new StdioMCPTransport(server) });
    const tools = await client.tools();
    assert.deepEqual(Object.keys(tools).sort(), ['look', 'noisy']);
    const call = (args, options = {}) => tools.look.execute(args, { messages: [], toolCallId: 't', ...options });
    assert.equal(text((await call({ command: 'cat hello' })).content), 'hello\n');
    const refused = await call({ command: 'rm hello' });
    assert.equal(refused.isError, true);
    assert.match(text(refused.content), refusal);
    const abort = AbortSignal.timeout(SLOW_MS);
    await assert.rejects(call(sleeper(4704), { abortSignal: abort }));
    await client.close();
  },

  async langchain() {
    const { MultiServerMCPClient } = await import('@langchain/mcp-adapters');
    const client = new MultiServerMCPClient({
      mcpServers: { gate: { transport: 'stdio', ...server, defaultToolTimeout: SLOW_MS } },
    });
    const tools = await client.getTools();
    assert.deepEqual(tools.map((tool) => tool.name).sort(), ['look', 'noisy']);
    const look = tools.find((tool) => tool.name === 'look');
    assert.match(JSON.stringify(await look.invoke({ command: 'cat hello' })), /hello/);
    await assert.rejects(look.invoke({ command: 'rm hello' }), refusal);
    await assert.rejects(look.invoke(sleeper(4705)), /timed out|abort/i);
    await client.close();
  },

  // isError is dropped here: only the text can say that it was refused
  async openai() {
    const { MCPServerStdio } = await import('@openai/agents');
    const client = new MCPServerStdio({ ...server, timeout: SLOW_MS, cacheToolsList: false });
    await client.connect();
    assert.deepEqual((await client.listTools()).map((tool) => tool.name), ['look', 'noisy']);
    assert.match(text(await client.callTool('look', { command: 'cat hello' })), /^hello/);
    assert.match(text(await client.callTool('look', { command: 'rm hello' })), refusal);
    await assert.rejects(client.callTool('look', sleeper(4706)), /timed out/);
    await client.close();
  },
};

await clients[process.argv[2]]();
console.log(`${process.argv[2]}: ok`);
