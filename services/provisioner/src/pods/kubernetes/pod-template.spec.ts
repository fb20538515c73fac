import { NO_TEMPLATE, parsePodTemplate } from './pod-template';

describe('a pod template', () => {
  it('that says nothing is none', () => {
    expect(parsePodTemplate({})).toEqual(NO_TEMPLATE);
  });

  it.each<[string, unknown, RegExp]>([
    ['is no map', [], /the template is no map/],
    ['is another kind', { kind: 'Deployment' }, /kind must be Pod/],
    ['misspells a field', { spec: { tolerationz: [] } }, /spec may not say tolerationz/],
    ['opens the host to tenants', { spec: { hostNetwork: true } }, /spec may not say hostNetwork/],
    ['loosens the security context', { spec: { containers: [{ name: 'agent', securityContext: {} }] } }, /may not say securityContext/],
    ['names an image', { spec: { containers: [{ name: 'agent', image: 'x' }] } }, /may not say image/],
    ['brings another container', { spec: { containers: [{ name: 'sidecar' }] } }, /one container, named agent/],
    ['has a map where a list belongs', { spec: { tolerations: {} } }, /tolerations in spec must be a list/],
    ['has a volume of ours', { spec: { volumes: [{ name: 'tmp' }] } }, /the volume tmp is the driver's/],
    ['names a pod', { metadata: { name: 'x' } }, /metadata may not say name/],
    ['takes a label of ours', { metadata: { labels: { 'reprise.dev/workspace': 'x' } } }, /labels.reprise.dev\/workspace is the driver's/],
  ])('that %s is refused', (_what, template, why) => {
    expect(() => parsePodTemplate(template)).toThrow(why);
  });

  it('says everything that is wrong at once', () => {
    expect(() => parsePodTemplate({ kind: 'x', spec: { a: 1, b: 2 } })).toThrow(/may not say a.*may not say b.*kind must be Pod/);
  });
});
