// usage: openapi_walk.mjs OPENAPI URL KEYS
// Walks the document against the server: every operation as nobody, with a key of each permission
// alone, with a key of none, and in a namespace that is not the key's. What must come back is derived
// from the document: x-callgate-permission (its description says what its values mean), security ([]
// or a {} in it: nobody may ask, too), the statuses it lists, the media types and the required fields
// of the answers. KEYS: JSON {none, foreign, "approvals:read": …}: API keys without studio roles.
// Prints a line for each thing that is otherwise.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const yaml = createRequire(`${process.env.IT_NPM}/x.js`)('yaml');
const [, , file, url, keysFile] = process.argv;
const document = yaml.parse(readFileSync(file, 'utf8'));
const keys = JSON.parse(readFileSync(keysFile, 'utf8'));
// what any of them may answer, in the form of an error (the document's description says so)
const ALWAYS = [400, 403, 404, 405, 408, 413, 414, 431, 503];
const LIST = {
  jsonrpc: '2.0', id: 1, method: 'tools/list',
  params: { _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {},
  } },
};
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
let wrong = 0;
let asked = 0;
const complain = (line) => { wrong += 1; console.log(line); };

function resolve(node) {
  let at = node;
  for (let i = 0; at && at.$ref && i < 16; i += 1)
    at = at.$ref.replace(/^#\//, '').split('/').reduce((o, key) => o?.[key], document);
  return at;
}

// A value that the schema allows, as small as can be; the document's own example comes first.
function sample(schema) {
  const s = resolve(schema) ?? {};
  if (s.example !== undefined) return s.example;
  if (s.examples?.length) return s.examples[0];
  if (s.const !== undefined) return s.const;
  if (s.enum) return s.enum[0];
  if (s.oneOf ?? s.anyOf) return sample((s.oneOf ?? s.anyOf)[0]);
  const type = Array.isArray(s.type) ? s.type[0] : s.type;
  if (type === 'object' || s.properties)
    return Object.fromEntries((s.required ?? []).map((name) => [name, sample(s.properties?.[name])]));
  return { string: 'x', integer: s.minimum ?? 1, number: s.minimum ?? 1, boolean: false, array: [] }[type] ?? {};
}

function bodyOf(operation) {
  const media = resolve(operation.requestBody)?.content?.['application/json'];
  if (!media) return undefined;
  const named = Object.values(media.examples ?? {})[0];
  return media.example ?? resolve(named)?.value ?? sample(media.schema);
}

async function ask(path, method, operation, headers) {
  const parameters = (operation.parameters ?? []).map(resolve);
  const concrete = path.replace(/\{([^}]+)\}/g, (_, name) => {
    const parameter = parameters.find((p) => p.in === 'path' && p.name === name);
    return encodeURIComponent(parameter?.example ?? sample(parameter?.schema) ?? 'x');
  });
  const body = path === '/mcp' ? LIST : bodyOf(operation);
  const all = { accept: 'application/json, text/event-stream', ...headers };
  if (body !== undefined || method === 'post') all['content-type'] = 'application/json';
  if (path === '/mcp') {
    all['mcp-protocol-version'] = '2026-07-28';
    all['mcp-method'] = body.method;
  }
  asked += 1;
  const answer = await fetch(url + concrete, {
    method: method.toUpperCase(), headers: all, redirect: 'manual',
    body: method === 'get' || method === 'delete' ? undefined : JSON.stringify(body ?? {}),
  });
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() };
}

// Is the answer one that the document lists, in the form that it says?
function fits(what, operation, answer) {
  const listed = resolve(operation.responses?.[answer.status]
    ?? operation.responses?.[`${String(answer.status)[0]}XX`] ?? operation.responses?.default);
  if (!listed && ALWAYS.includes(answer.status)) {
    let error;
    try { error = JSON.parse(answer.text).error; } catch { /* said below */ }
    if (typeof error !== 'string')
      complain(`${what}: ${answer.status} is not in the form of an error: ${answer.text.slice(0, 80)}`);
    return;
  }
  if (!listed) {
    complain(`${what}: answers ${answer.status}, which the document does not list`);
    return;
  }
  const media = Object.keys(listed.content ?? {});
  const type = answer.type.split(';')[0].trim();
  if (media.length && answer.status !== 204 && !media.includes(type))
    complain(`${what}: ${answer.status} comes as '${type}', the document says ${media.join(', ')}`);
  if (type !== 'application/json') return;
  let value;
  try { value = JSON.parse(answer.text); } catch { complain(`${what}: no JSON: ${answer.text.slice(0, 80)}`); return; }
  for (const name of resolve(listed.content?.[type]?.schema)?.required ?? [])
    if (value?.[name] === undefined) complain(`${what}: ${answer.status} lacks ${name}: ${answer.text.slice(0, 120)}`);
}

const REFUSED = [401, 403];
for (const [path, item] of Object.entries(document.paths)) {
  for (const method of METHODS.filter((name) => item[name])) {
    const operation = { ...item[method], parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])] };
    const what = `${method.toUpperCase()} ${path}`;
    const security = operation.security ?? document.security ?? [];
    const isOpen = security.length === 0 || security.some((entry) => Object.keys(entry).length === 0);
    const needed = operation['x-callgate-permission'];
    if (needed === undefined) complain(`${what}: the document does not say who may`);
    const nobody = await ask(path, method, operation, {});
    fits(`${what} as nobody`, operation, nobody);
    // what is public is shown; to call by a name that is not, as these are, may be 401 as well
    const mayHide = needed === 'public' && method !== 'get' && nobody.status === 401;
    if (isOpen ? REFUSED.includes(nobody.status) && !mayHide : nobody.status !== 401)
      complain(`${what} as nobody: ${nobody.status}`);
    for (const [name, key] of Object.entries(keys)) {
      if (name === 'foreign') continue;
      const answer = await ask(path, method, operation, { authorization: `Bearer ${key}` });
      const may = ['none', 'public', 'own', name].includes(needed);
      fits(`${what} as ${name}`, operation, answer);
      if (answer.status === 401) complain(`${what} as ${name}: 401 with a good key`);
      if (!may && answer.status !== 403) complain(`${what} as ${name}: ${answer.status}, not 403`);
      if (may && answer.status === 403) complain(`${what} as ${name}: 403, though it may: ${answer.text.slice(0, 80)}`);
    }
    if (needed === 'none' || !operation.parameters.map(resolve).some((p) => p.name === 'Callgate-Namespace')) continue;
    const foreign = await ask(path, method, operation,
      { authorization: `Bearer ${keys.foreign}`, 'callgate-namespace': 'lab' });
    fits(`${what} in a foreign namespace`, operation, foreign);
    // of MCP a refusal is an answer like others: clients take 4xx for a server that is gone
    const said = path === '/mcp' && foreign.status === 200 ? JSON.parse(foreign.text).error?.code : foreign.status;
    if (said !== 403) complain(`${what} in a foreign namespace: ${foreign.status}, not 403`);
  }
}
console.log(`${asked} requests, ${wrong} otherwise than the document says`);
process.exit(wrong || asked < 50 ? 1 : 0);
