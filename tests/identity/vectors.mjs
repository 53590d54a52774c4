// usage: node vectors.mjs TOOL FILE   a file of JWS test vectors in Wycheproof's form (testGroups, each with
// a public JWK and tests of {tcId, comment, jws, result}) through the verifier. No vector that must fail may
// pass; one that should pass may fail only where the key itself is of no use here, and is counted apart.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const [tool, file] = process.argv.slice(2)
const cases = []
for (const group of JSON.parse(readFileSync(file, 'utf8')).testGroups) {
  const key = group.public ?? group.private ?? group.jwk ?? group.key
  const set = key.keys ? key : { keys: [key] }
  for (const test of group.tests) {
    if (typeof test.jws === 'string' && !/[\n\0]/.test(test.jws)) cases.push({ set, ...test })
    else console.log(`not run: ${test.tcId} ${test.comment}: not one line of text`)
  }
}
const input = cases.map(({ set, jws }) => `${JSON.stringify(set)}\t${jws}\n`).join('')
const answers = execFileSync(tool, ['signatures', '-'], { encoding: 'utf8', input, maxBuffer: 1 << 26 }).trimEnd().split('\n')
const count = { 'rightly accepted': 0, 'rightly refused': 0, 'either is right': 0, 'key or algorithm not used here': 0, 'FALSE ACCEPT': 0, 'FALSE REFUSAL': 0 }
cases.forEach(({ tcId, comment, result }, i) => {
  const verdict = answers[i].split(' ')[0]
  const passed = verdict === 'ok'
  const unused = ['alg-unknown', 'key-unknown', 'key-unfit'].includes(verdict)
  const what = result === 'acceptable' ? 'either is right'
    : passed ? (result === 'valid' ? 'rightly accepted' : 'FALSE ACCEPT')
      : result === 'invalid' ? 'rightly refused' : unused ? 'key or algorithm not used here' : 'FALSE REFUSAL'
  count[what]++
  if (/FALSE|not used/.test(what)) console.log(`${what}: ${tcId} ${comment}: ${answers[i]}`)
})
console.log(`vectors of ${file}: ${cases.length} run; ` + Object.entries(count).map(([what, n]) => `${n} ${what}`).join(', '))
process.exit(cases.length && answers.length === cases.length && !count['FALSE ACCEPT'] && !count['FALSE REFUSAL'] ? 0 : 1)
