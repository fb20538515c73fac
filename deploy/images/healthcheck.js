// The HEALTHCHECK of every service's image: exit code 0 while the service should get work. The image has no shell and no curl.
const { lookup } = require('node:dns/promises');
const { get } = require('node:http');
const { networkInterfaces } = require('node:os');

const { HTTP_HOST: host = '0.0.0.0', HTTP_PORT: port = '8080' } = process.env;

/** Where the service listens. One that listens on all addresses is asked on loopback; of a name, it takes the address of this machine. */
async function address() {
  if (host === '0.0.0.0' || host === '::' || host === '') return '127.0.0.1';
  const own = Object.values(networkInterfaces()).flatMap((each) => each.map((it) => it.address));
  const found = await lookup(host, { all: true });
  return found.map((it) => it.address).find((it) => own.includes(it)) ?? host;
}

function fail(error) {
  console.error(error.message || error.code);
  process.exitCode = 1;
}

address().then((at) => {
  const request = get({ host: at, port: port || '8080', path: '/health/ready', timeout: 4_000 }, (answer) => {
    answer.resume();
    process.exitCode = answer.statusCode === 200 ? 0 : 1;
  });
  request.on('timeout', () => request.destroy(new Error('no answer within 4 s')));
  request.on('error', fail);
}, fail);
