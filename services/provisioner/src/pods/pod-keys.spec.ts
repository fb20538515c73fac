import { createPublicKey, verify } from 'node:crypto';
import { verifyPodToken } from '@reprise/contracts';
import { headersOf } from './pod-credentials';
import { PodKeys } from './pod-keys';

const [OLD, NEW] = ['the secret that was', 'the secret that is'];
const POD = { workspaceId: 'ws_01h455vb4pex5vsknk084sn02q', generation: 3 };

it('a new pod has a token of the present secret, and knows the provisioner by both', () => {
  const [before, meanwhile, after] = [new PodKeys(OLD), new PodKeys(NEW, OLD), new PodKeys(NEW)];
  expect(verifyPodToken(NEW, meanwhile.token(POD))).toEqual(POD);
  expect(meanwhile.publicKeys()).toEqual([...after.publicKeys(), ...before.publicKeys()]);
  expect(new Set(meanwhile.publicKeys()).size).toBe(2);
});

it('a pod that was made with the secret before is offered its own credentials second', () => {
  const [, second, ...more] = new PodKeys(NEW, OLD).credentials(POD);
  expect(more).toEqual([]);
  expect(second!.token).toBe(new PodKeys(OLD).token(POD));
});

it('every request is signed anew, for its pod, method, target and content', () => {
  const keys = new PodKeys(NEW);
  const raw = Buffer.from(keys.publicKeys()[0]!, 'base64url');
  const key = createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' });
  const sent = [1, 2].map(() => headersOf(keys.credentials(POD)[0], 'POST', '/v1/quiesce?a=b', { content: '{}' }));
  expect(sent[0]!['x-reprise-nonce']).not.toBe(sent[1]!['x-reprise-nonce']);
  for (const headers of sent) {
    const { 'x-reprise-time': time, 'x-reprise-nonce': nonce, 'x-reprise-content-sha256': content } = headers;
    expect(content).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
    const text = ['reprise-control-v1', 'POST', '/v1/quiesce?a=b', POD.workspaceId, POD.generation, time, nonce, content].join('\n');
    expect(verify(null, Buffer.from(text), key, Buffer.from(headers['x-reprise-signature']!, 'base64url'))).toBe(true);
    expect(JSON.stringify(headers)).not.toContain(NEW);
  }
});
