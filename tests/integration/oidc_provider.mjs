// usage: oidc_provider.mjs DIR RESOURCE
// A certified OpenID provider (npm oidc-provider) with the device flow, for case 58: writes its port to
// DIR/port. Its access tokens are JWTs for RESOURCE (RFC 8707). POST /people/approve {url, login, deny?}
// is a person at a browser: it opens the page, signs in, and agrees.
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , dir, resource] = process.argv;
const require = createRequire(`${process.env.IT_NPM}/x.js`);
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);
const jose = require('jose');
const key = await jose.exportJWK((await jose.generateKeyPair('RS256', { extractable: true })).privateKey);

let provider;
const server = createServer((request, response) => {
  if (request.url === '/people/approve') browse(request, response);
  else provider.callback()(request, response);
});
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provider = new Provider(issuer, {
    clients: [{
      client_id: 'callgate', token_endpoint_auth_method: 'none', application_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      redirect_uris: [], response_types: [],
    }],
    jwks: { keys: [{ ...key, kid: 'rs1', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['only for this test'] },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'openid offline_access tools', audience: resource, accessTokenTTL: 600,
          accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    extraTokenClaims: (ctx, token) => ({ role: token.accountId === 'mallory' ? 'guest' : 'operator' }),
    scopes: ['openid', 'offline_access', 'tools'],
    ttl: { DeviceCode: 60, Interaction: 60, Session: 60, Grant: 600, RefreshToken: 600 },
  });
  writeFileSync(`${dir}/port.new`, String(server.address().port));
  renameSync(`${dir}/port.new`, `${dir}/port`);
});

// ---- the person ---------------------------------------------------------------------------------
const decode = (text) => text.replace(/&amp;/g, '&').replace(/&quot;/g, '"').replace(/&#x27;|&#39;/g, "'");

async function readAll(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

async function browse(request, response) {
  try {
    const { url, login, deny } = await readAll(request);
    const pages = await walk(url, login, deny);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ pages }));
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error.stack));
  }
}

async function walk(start, login, deny) {
  const jar = new Map();
  const pages = [];
  let url = start;
  let options = {};
  for (let i = 0; i < 16; i += 1) {
    const answer = await fetch(url, {
      ...options, redirect: 'manual',
      headers: { ...options.headers, cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') },
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value) jar.set(name, value); else jar.delete(name);
    }
    pages.push(`${answer.status} ${url}`);
    const next = answer.headers.get('location');
    if (next) { url = new URL(next, url).href; options = {}; continue; }
    const html = await answer.text();
    const form = /<form([^>]*)>([^]*?)<\/form>/.exec(html);
    if (!form) return pages; // "you may close this window"
    const action = /action="([^"]*)"/.exec(form[1])?.[1];
    const fields = new URLSearchParams();
    for (const [input] of form[2].matchAll(/<(?:input|button)[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(input)?.[1];
      if (name) fields.set(name, decode(/value="([^"]*)"/.exec(input)?.[1] ?? ''));
    }
    if (fields.has('login')) { fields.set('login', login); fields.set('password', 'any'); }
    if (deny && html.includes('name="abort"')) fields.set('abort', 'yes'); else fields.delete('abort');
    if (fields.has('confirm') || html.includes('name="confirm"')) fields.set('confirm', 'yes');
    url = action ? new URL(decode(action), url).href : url;
    options = {
      method: 'POST', body: fields.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    };
  }
  throw new Error(`no end of pages: ${pages.join(' ')}`);
}
