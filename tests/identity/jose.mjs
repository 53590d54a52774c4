// usage: node jose.mjs TOOL   tokens of every algorithm both ways between the verifier and npm's jose
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as jose from 'jose'

const tool = process.argv[2]
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
let passed = 0
let failed = 0

function check(what, good, seen) {
  if (good) {
    passed++
  } else {
    failed++
    console.log(`FAILED ${what}: ${seen}`)
  }
}

async function accepts(what, token, jwks, options) {
  try {
    return (await jose.jwtVerify(token, jose.createLocalJWKSet(jwks), options)).payload
  } catch (error) {
    check(what, false, error)
    return null
  }
}

// Ours to theirs.
const made = JSON.parse(execFileSync(tool, ['make'], { encoding: 'utf8' }))
for (const { alg, token } of made.tokens) {
  const payload = await accepts(`${alg} to jose`, token, made.jwks,
    { issuer: made.issuer, audience: made.audience, algorithms: [alg] })
  if (payload) check(`${alg} to jose`, payload.sub === 'x', JSON.stringify(payload))
}
check('tokens of every algorithm', made.tokens.length === algorithms.length, made.tokens.length)
const own = await accepts('our own token', made.own.token, made.own.jwks,
  { issuer: made.issuer, audience: made.audience, algorithms: ['EdDSA'], typ: 'callgate+jwt' })
if (own) {
  check('its scope', own.callgate.tools[0] === 'git_*' && own.callgate.max_calls === 5, JSON.stringify(own))
  check('its time', own.exp - own.iat === 300, own.exp - own.iat)
}
check('thumbprint', await jose.calculateJwkThumbprint(made.own.jwks.keys[0]) === made.own.kid, made.own.kid)

// Theirs to ours: each token as it is, with another payload, for another audience, and expired.
const dir = mkdtempSync(join(tmpdir(), 'callgate-jose.'))
try {
  const keys = []
  const lines = []
  const wanted = []
  const sign = (alg, key, claims) => new jose.SignJWT({ scope: 'a b', ...claims })
    .setProtectedHeader({ alg, kid: `${alg}-key`, typ: 'at+jwt' })
    .setIssuer('https://idp.example/').setSubject('alice').setIssuedAt().sign(key)
  for (const alg of algorithms) {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true })
    keys.push({ ...await jose.exportJWK(publicKey), kid: `${alg}-key`, alg, use: 'sig' })
    const soon = Math.floor(Date.now() / 1000) + 300
    const good = await sign(alg, privateKey, { aud: ['other', 'callgate'], exp: soon })
    const parts = good.split('.')
    const other = jose.base64url.encode(JSON.stringify({ iss: 'https://idp.example/', aud: 'callgate', exp: soon }))
    lines.push(good, `${parts[0]}.${other}.${parts[2]}`,
      await sign(alg, privateKey, { aud: 'other', exp: soon }),
      await sign(alg, privateKey, { aud: 'callgate', exp: soon - 400, iat: soon - 500 }))
    wanted.push(`ok ${alg}`, `signature ${alg}`, `audience ${alg}`, `expired ${alg}`)
  }
  writeFileSync(join(dir, 'jwks.json'), JSON.stringify({ keys }))
  const answers = execFileSync(tool, ['verify', join(dir, 'jwks.json'), 'https://idp.example/', 'callgate'],
    { encoding: 'utf8', input: lines.join('\n') + '\n' }).trimEnd().split('\n')
  wanted.forEach((want, i) => check(`from jose: ${want}`, answers[i] === want, answers[i]))
} finally {
  rmSync(dir, { recursive: true })
}
console.log(`jose: ${passed} passed, ${failed} failed, 0 skipped`)
process.exit(failed ? 1 : 0)
