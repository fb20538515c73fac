// Stands in the agent's place and is the agent, but for the time in which a file named `spoiled` lies beside it: that file is a list of what
// becomes of the requests that come then, one after the other.
const { existsSync, readFileSync } = require('node:fs');
const { Server, ServerResponse } = require('node:http');
const { randomBytes } = require('node:crypto');
const { join } = require('node:path');

const list = join(__dirname, 'spoiled');
let served = 0;

const WAYS = {
  garbage: (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(randomBytes(200)),
  'empty-object': (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  'html-500': (_req, res) => res.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Internal Server Error</h1>'),
  'hang-up': (req) => req.socket.destroy(),
  silence: () => undefined,
  'half-a-body': (_req, res, serve) => {
    const end = res.end;
    let sent = 0;
    const write = res.write;
    res.write = function (chunk, ...more) {
      sent += chunk?.length ?? 0;
      if (sent > 20_000) return (res.socket?.destroy(), false);
      return write.call(this, chunk, ...more);
    };
    res.end = function (...args) {
      return end.apply(this, args);
    };
    serve();
  },
  'flipped-byte': (_req, res, serve) => {
    let flipped = false;
    const flip = (chunk) => {
      if (flipped || typeof chunk === 'string' || !(chunk?.length > 0)) return chunk;
      flipped = true;
      const copy = Buffer.from(chunk);
      copy[Math.floor(copy.length / 2)] ^= 0x40;
      return copy;
    };
    for (const name of ['write', 'end']) {
      const original = res[name];
      res[name] = function (chunk, ...more) {
        return original.call(this, flip(chunk), ...more);
      };
    }
    serve();
  },
};

const emit = Server.prototype.emit;
Server.prototype.emit = function (event, req, res) {
  const serve = () => emit.apply(this, arguments);
  if (event !== 'request' || !(res instanceof ServerResponse) || !existsSync(list)) return serve();
  let ways;
  try {
    ways = JSON.parse(readFileSync(list, 'utf8'));
  } catch {
    return serve();
  }
  const way = WAYS[ways[served++ % ways.length]];
  if (!way) return serve();
  way(req, res, serve);
  return true;
};

require('./agent-itself.js');
