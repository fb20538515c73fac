import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPodTemplate } from '../../src/pods/kubernetes/pod-template';

describe('the file of a pod template', () => {
  it('that is committed as the example is right', async () => {
    const template = await loadPodTemplate(join(__dirname, '../../../../deploy/kubernetes/pod-template.yaml'));
    expect(template.spec.nodeSelector).toEqual({ 'kubernetes.io/os': 'linux' });
    expect(template.agent.resources?.requests).toEqual({ cpu: '250m', memory: '256Mi' });
  });

  it('that cannot be read is told by the name of the setting', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'reprise-template-'));
    writeFileSync(join(directory, 'broken.yaml'), 'a: [');
    await expect(loadPodTemplate(join(directory, 'broken.yaml'))).rejects.toThrow(/POD_TEMPLATE cannot be read/);
    await expect(loadPodTemplate(join(directory, 'missing.yaml'))).rejects.toThrow(/POD_TEMPLATE cannot be read/);
    rmSync(directory, { recursive: true });
  });
});
