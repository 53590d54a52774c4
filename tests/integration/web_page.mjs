// usage: web_page.mjs PAGE.JS: the approvals page's own script against a small document and a
// server that answers from here: what is shown, what is escaped, what can be pressed when.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import vm from 'node:vm';

// ---- as much of a document as the page uses ----
class Element extends EventTarget {
  constructor(name) {
    super();
    Object.assign(this, { name, children: [], own: '', parent: null, dataset: {}, attributes: {},
      hidden: false, disabled: false, value: '', scrollTop: 0, required: false });
  }
  set textContent(text) { this.children = []; this.own = String(text); }
  get textContent() { return this.own + this.children.map((child) => child.textContent).join(''); }
  // markup from text must never happen
  set innerHTML(_) { assert.fail('innerHTML'); }
  append(...more) { for (const child of more) { child.parent = this; this.children.push(child); }
    if (this.name === 'select' && !this.value) this.value = this.children[0].value; }
  remove() { this.parent.children = this.parent.children.filter((child) => child !== this); this.parent = null; }
  replaceWith(other) { other.parent = this.parent; this.parent.children[this.parent.children.indexOf(this)] = other; this.parent = null; }
  contains(other) { return other === this || this.children.some((child) => child.contains(other)); }
  setAttribute(name, value) { this.attributes[name] = value; }
  focus() { document.activeElement = this; }
  click() { this.dispatchEvent(new Event('click')); }
  all(name) { return this.children.flatMap((child) => [...(child.name === name ? [child] : []), ...child.all(name)]); }
  get isConnected() { return this === root || (this.parent?.isConnected ?? false); }
  get clientHeight() { return 100; }
  get scrollHeight() { return this.textContent.length > 200 ? 1000 : 80; }
}
const root = new Element('body');
const byId = {};
for (const id of ['who', 'leave', 'enter', 'credential', 'questions', 'none', 'more', 'list', 'status', 'main']) {
  byId[id] = new Element(id);
  root.append(byId[id]);
}
const document = { title: '', activeElement: null, createElement: (name) => new Element(name),
  getElementById: (id) => byId[id] ?? assert.fail(`no element ${id}`) };
const observers = [];
class ResizeObserver { constructor(look) { observers.push(look); } observe() {} }

// ---- the server ----
const soon = (ms) => new Date(Date.now() + ms).toISOString();
const long = `rm -rf \u202Ex\u0007\n${'y'.repeat(300)}`;
let list = [
  { id: 'a1', plan: 'sha256:00', tool: 'bash', principal: 'uid:1000', command: long, prompt: '<b>Run?</b>',
    details: 'walls: all', expires: soon(100000), scopes: ['once', 'session'], quorum: 2, agreed: 0,
    editable: ['branch'], arguments: { branch: 'main' } },
  { id: 'b2', plan: 'sha256:01', tool: 'git', principal: 'uid:1', command: 'ls', expires: soon(1500),
    scopes: ['once'], reason_required: true, warning: 'careful' },
];
const asked = [];
const held = [];
let revision = 1;
let refuse = 0;
const answer = (status, value) => ({ ok: status < 300, status, json: async () => value, headers: new Map() });
const fetch = async (path, options) => {
  asked.push({ path, ...options });
  assert.ok(path.startsWith('v1/'), path);
  assert.ok(!path.includes('good'), 'a credential in an address');
  assert.equal(options.redirect, 'error');
  if (refuse) return answer(refuse, { error: 'gone' });
  if (path === 'v1/whoami')
    return options.headers.Authorization === 'Bearer good'
      ? answer(200, { principal: 'key:1', permissions: ['approvals:decide'] })
      : answer(401, { error: 'no\u0007pe' });
  if (path.startsWith('v1/approvals?since=')) await new Promise((go) => { held.push(go); });
  if (path.startsWith('v1/approvals?') || path === 'v1/approvals')
    return answer(200, { revision: revision++, approvals: list, more: 3 });
  return answer(200, { state: 'approved' });
};

const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
const status = () => byId.status.textContent;
const signIn = async (text) => {
  byId.credential.value = text;
  byId.enter.dispatchEvent(new Event('submit'));
  await wait(30);
};
vm.runInNewContext(fs.readFileSync(process.argv[2], 'utf8'), { document, fetch, ResizeObserver, setInterval, setTimeout, Date });

await signIn('bad');
assert.equal(status(), 'no\\u{7}pe');
assert.equal(byId.questions.hidden, true);
await signIn('good');
assert.equal(byId.credential.value, '', 'the credential stays in no field');
assert.equal(byId.who.textContent, 'key:1');
observers.forEach((look) => look());
const cards = () => byId.list.all('article');
const [approve, deny] = cards()[0].all('button');
assert.equal(cards().length, 2);
assert.ok(cards()[0].textContent.includes('rm -rf \\u{202e}x\\u{7}\n'), 'hidden characters are shown');
assert.ok(cards()[0].textContent.includes('y'.repeat(300)), 'nothing is cut');
assert.equal(root.all('b').length, 0);
assert.ok(cards()[1].textContent.includes('Warning: careful'));
// not before the end was seen; no is always possible
assert.deepEqual([approve.disabled, deny.disabled], [true, false]);
approve.click();
await wait(10);
assert.ok(!asked.some((one) => one.path.endsWith('/decision')));
const box = cards()[0].all('pre')[0];
box.scrollTop = 500;
box.dispatchEvent(new Event('scroll'));
assert.equal(approve.disabled, true);
box.scrollTop = 900;
box.dispatchEvent(new Event('scroll'));
assert.equal(approve.disabled, false);
cards()[0].all('textarea')[0].value = 'dev';
approve.click();
await wait(10);
assert.match(status(), /not JSON/);
cards()[0].all('textarea')[0].value = '"dev"';
approve.click();
await wait(10);
assert.equal(asked.at(-1).path, 'v1/approvals/a1/decision');
assert.deepEqual(JSON.parse(asked.at(-1).body), { decision: 'approve', plan: 'sha256:00', scope: 'once', edited_arguments: { branch: 'dev' } });
// a reason that is needed is asked for
cards()[1].all('button')[1].click();
await wait(10);
assert.equal(status(), 'This question needs a reason.');
cards()[1].all('input')[0].value = 'no way';
cards()[1].all('button')[1].click();
await wait(10);
assert.deepEqual(JSON.parse(asked.at(-1).body), { decision: 'deny', plan: 'sha256:01', reason: 'no way' });
// the clock ends it
await wait(2500);
assert.deepEqual(cards()[1].all('button').map((button) => button.disabled), [true, true]);
// what stays is not touched; another plan is another card, unread
cards()[0].all('input')[0].value = 'half a reason';
list = [list[0]];
held.shift()();
await wait(30);
assert.equal(cards().length, 1);
assert.equal(cards()[0].all('input')[0].value, 'half a reason');
assert.ok(byId.more.textContent.startsWith('3 more wait'));
list = [{ ...list[0], plan: 'sha256:02' }];
held.shift()();
await wait(30);
assert.equal(cards()[0].all('button')[0].disabled, true);
// a credential that counts no more leads back to the door, and everything is gone
refuse = 401;
held.shift()();
await wait(30);
refuse = 0;
held.length = 0;
const before = asked.length;
byId.leave.click();
assert.equal(cards().length, 0);
assert.equal(byId.questions.hidden, true);
await wait(30);
assert.equal(asked.length, before);
console.log('page: ok');
process.exit(0);
