// One connection to the daemon's socket, line by line: what client libraries would hide.
import net from 'node:net';

const MODERN = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

export class Line {
  static async open() {
    const line = new Line();
    line.heard = [];
    line.waiting = [];
    line.ended = false;
    line.last = 0;
    let rest = '';
    line.socket = net.connect(process.env.CALLGATE_SOCKET);
    line.socket.setEncoding('utf8');
    line.socket.on('data', (bytes) => {
      const lines = (rest + bytes).split('\n');
      rest = lines.pop();
      for (const text of lines) line.#take(JSON.parse(text));
    });
    line.closed = new Promise((resolve) => {
      const end = () => {
        line.ended = true;
        for (const wait of line.waiting.splice(0)) wait.resolve(undefined);
        resolve();
      };
      line.socket.on('close', end);
      line.socket.on('error', end);
    });
    await new Promise((resolve) => line.socket.on('connect', resolve));
    return line;
  }

  #take(message) {
    const at = this.waiting.findIndex((wait) => wait.test(message));
    if (at >= 0) this.waiting.splice(at, 1)[0].resolve(message);
    else this.heard.push(message);
  }

  // The first message, heard already or yet to come, that passes the test; undefined after hang-up.
  // Fails when none has come in time.
  hear(test, ms = 10000) {
    const at = this.heard.findIndex(test);
    if (at >= 0) return Promise.resolve(this.heard.splice(at, 1)[0]);
    if (this.ended) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const wait = { test, resolve: (message) => (clearTimeout(timer), resolve(message)) };
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((other) => other !== wait);
        reject(new Error(`nothing came that passes ${test}`));
      }, ms);
      this.waiting.push(wait);
    });
  }

  // Fails when such a message comes within that time.
  async quiet(test, ms = 300) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    const found = this.heard.find(test);
    if (found) throw new Error(`unexpected: ${JSON.stringify(found)}`);
  }

  say(message) {
    this.write(`${JSON.stringify(message)}\n`);
  }

  write(text) {
    this.socket.write(text);
  }

  request(method, params, id = ++this.last) {
    this.say({ jsonrpc: '2.0', id, method, ...(params && { params }) });
    return id;
  }

  answer(id) {
    return this.hear((message) => message.id === id && ('result' in message || 'error' in message));
  }

  ask(method, params, id) {
    return this.answer(this.request(method, params, id));
  }

  notify(method, params) {
    this.say({ jsonrpc: '2.0', method, ...(params && { params }) });
  }

  async initialize(protocolVersion, capabilities = {}) {
    const { result } = await this.ask('initialize', {
      protocolVersion, capabilities, clientInfo: { name: 'raw', version: '1' },
    });
    this.notify('notifications/initialized');
    return result;
  }

  close() {
    this.socket.destroy();
  }
}

export const modern = (params = {}, capabilities = {}, meta = {}) => ({
  ...params,
  _meta: { ...MODERN, 'io.modelcontextprotocol/clientCapabilities': capabilities, ...meta },
});

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
