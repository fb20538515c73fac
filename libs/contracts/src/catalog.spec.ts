import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CATALOG, ERROR_CODES, MESSAGES, QUEUES, isErrorCode, isId, newId, podToken, verifyPodToken } from './index';

describe('the message catalogue', () => {
  it.each(MESSAGES.map((m) => [m.type, m] as const))('%s: its example passes its own rules', (_type, message) => {
    const problems = validateSync(plainToInstance(message, message.example), { whitelist: true, forbidNonWhitelisted: true });
    expect(problems.map((p) => p.toString())).toEqual([]);
  });

  it('names every type once, in the form reprise.<thing>.<verb>.v<version>', () => {
    expect(CATALOG.size).toBe(MESSAGES.length);
    for (const { type } of MESSAGES) expect(type).toMatch(/^reprise\.[a-z]+\.[a-z-]+\.v[1-9][0-9]*$/);
  });

  it('routes every consumed command, query and event of a service to exactly one of its queues', () => {
    for (const message of MESSAGES.filter((m) => m.consumer && m.consumer !== 'gateway')) {
      const queues = QUEUES.filter((q) => q.bindings.some((b) => b.routingKey === message.type));
      expect([message.type, queues.map((q) => q.service)]).toEqual([message.type, [message.consumer]]);
    }
  });

  it('refuses an empty body of every type', () => {
    const lenient = MESSAGES.filter((m) => validateSync(plainToInstance(m, {})).length === 0).map((m) => m.type);
    expect(lenient).toEqual([]);
  });
});

describe('ids', () => {
  it('are told apart by kind and form', () => {
    const id = newId('workspace');
    expect(isId('workspace', id)).toBe(true);
    for (const wrong of [newId('task'), id.toUpperCase(), `${id}0`, id.slice(0, -1), 'ws_', '', null, 7, 'ws_8zzzzzzzzzzzzzzzzzzzzzzzzz']) {
      expect(isId('workspace', wrong)).toBe(false);
    }
  });
});

describe('the pod token', () => {
  const pod = { workspaceId: newId('workspace'), generation: 3 };
  it('speaks for the pod that it was made for, under the same secret alone', () => {
    const token = podToken('s3cret', pod);
    expect(verifyPodToken('s3cret', token)).toEqual(pod);
    expect(verifyPodToken('other', token)).toBeNull();
    expect(verifyPodToken('s3cret', token.replace('.3.', '.4.'))).toBeNull();
    expect(verifyPodToken('s3cret', 'pod.x.1.00')).toBeNull();
  });
});

describe('error codes', () => {
  it('are a closed list', () => {
    expect(isErrorCode('workspace_busy')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
    for (const [status] of Object.values(ERROR_CODES)) expect(status).toBeGreaterThanOrEqual(400);
  });
});
