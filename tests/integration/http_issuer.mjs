// An issuer of tokens for the cases of HTTP (http.sh).
// usage: http_issuer.mjs serve DIR           keys at /jwks.json; the port in DIR/port, a line a fetch in DIR/fetches
//        http_issuer.mjs key DIR KID ALG     a new key, published
//        http_issuer.mjs sign DIR KID CLAIM=TEXT|CLAIM:=JSON|header.NAME=TEXT...
import { appendFileSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const jose = createRequire(`${process.env.IT_NPM}/x.js`)('jose');
const [, , verb, dir, kid, ...rest] = process.argv;

const publicKeys = () => readdirSync(dir).filter((name) => name.endsWith('.public.json'))
  .map((name) => JSON.parse(readFileSync(`${dir}/${name}`, 'utf8')));

function serve() {
  const server = createServer((request, response) => {
    appendFileSync(`${dir}/fetches`, `${request.method} ${request.url}\n`);
    const known = request.url.split('?')[0] === '/jwks.json';
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known ? { keys: publicKeys() } : { error: 'not here' }));
  });
  server.listen(0, '127.0.0.1', () => {
    writeFileSync(`${dir}/port.new`, String(server.address().port));
    renameSync(`${dir}/port.new`, `${dir}/port`);
  });
}

function write(name, value) {
  writeFileSync(`${dir}/${name}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${dir}/${name}.new`, `${dir}/${name}`);
}

async function key(alg) {
  const pair = await jose.generateKeyPair(alg, { extractable: true });
  write(`${kid}.private.json`, { ...await jose.exportJWK(pair.privateKey), kid, alg });
  write(`${kid}.public.json`, { ...await jose.exportJWK(pair.publicKey), kid, alg, use: 'sig' });
}

async function sign(words) {
  const jwk = JSON.parse(readFileSync(`${dir}/${kid}.private.json`, 'utf8'));
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: jwk.alg, kid, typ: 'at+jwt' };
  const claims = {
    iss: process.env.ISSUER, aud: process.env.AUDIENCE, sub: 'alice', iat: now, exp: now + 600,
  };
  for (const word of words) {
    const [, name, json, value] = /^([^=:]+)(:?)=([^]*)$/.exec(word);
    if (name.startsWith('header.')) header[name.slice('header.'.length)] = value;
    else if (json && value === '') delete claims[name];
    else claims[name] = json ? JSON.parse(value) : value;
  }
  const token = await new jose.SignJWT(claims).setProtectedHeader(header)
    .sign(await jose.importJWK(jwk, jwk.alg));
  process.stdout.write(`${token}\n`);
}

if (verb === 'serve') serve();
else if (verb === 'key') await key(rest[0]);
else if (verb === 'sign') await sign(rest);
else throw new Error(`unknown verb ${verb}`);
