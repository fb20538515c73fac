// The HEALTHCHECK of every service's image: exit code 0 while the service should get work. The image has no shell and no curl.
const { get } = require('node:http');

const port = process.env.HTTP_PORT || '8080';
const request = get({ host: '127.0.0.1', port, path: '/health/ready', timeout: 4_000 }, (answer) => {
  answer.resume();
  process.exitCode = answer.statusCode === 200 ? 0 : 1;
});
request.on('timeout', () => request.destroy(new Error('no answer within 4 s')));
request.on('error', (error) => {
  console.error(error.message || error.code);
  process.exitCode = 1;
});
