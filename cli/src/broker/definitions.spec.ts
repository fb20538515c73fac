import { BROKER_USERS } from '@reprise/contracts';
import { Environment } from '../environment';
import { record } from '../testing/recorder';
import { brokerAddress } from './address';
import { passwordVariable, readDefinitions } from './definitions';

describe('the committed definition of the broker', () => {
  it('is what the contracts say', async () => {
    expect(await record(['definitions', '--check'])).toMatchObject({ code: 0, err: '' });
  });

  it('becomes that of one virtual host, with its passwords', () => {
    const { vhosts, users, ...rest } = readDefinitions('mine', (user) => `secret of ${user}`);
    expect(vhosts).toEqual([{ name: 'mine' }]);
    expect(users.map((u) => [u.name, u.password])).toEqual(BROKER_USERS.map(({ name }) => [name, `secret of ${name}`]));
    for (const part of [rest.permissions, rest.topic_permissions, rest.exchanges]) {
      expect(new Set(part.map(({ vhost }) => vhost))).toEqual(new Set(['mine']));
    }
    expect(JSON.stringify(rest)).not.toContain('${');
  });

  it('names a variable for each password', () => {
    expect(passwordVariable('reprise_gateway')).toBe('GATEWAY_AMQP_PASSWORD');
  });
});

describe('the address of the broker', () => {
  const addressOf = (values: NodeJS.ProcessEnv) => brokerAddress(new Environment(values, undefined));
  const AMQP_URL = 'amqp://root:pw@host:5672';

  it.each([
    ['the virtual host in the URL, whatever else is said', { AMQP_URL: `${AMQP_URL}/mine`, REPRISE_VHOST: 'other' }, 'mine'],
    ['REPRISE_VHOST', { AMQP_URL, REPRISE_VHOST: 'other' }, 'other'],
    ['reprise, where one can be made', { AMQP_URL, RABBITMQ_MANAGEMENT_URL: 'http://host' }, 'reprise'],
    ['the default one, where none can be made', { AMQP_URL }, '/'],
    ['the default one, where the URL says so', { AMQP_URL: `${AMQP_URL}/%2F`, REPRISE_VHOST: 'other' }, '/'],
  ])('is in %s', (_, values, vhost) => {
    expect(addressOf(values)).toEqual({ url: `${AMQP_URL}/${encodeURIComponent(vhost)}`, vhost, user: 'root' });
  });
});
