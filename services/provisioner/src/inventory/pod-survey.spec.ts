import { aJob } from '../jobs/testing/job';
import type { SnapshotsRepository } from '../snapshot-records/snapshots.repository';
import type { FoundPod, PodAccess } from './pod-access';
import { PodSurvey } from './pod-survey.service';
import type { PodRow, PodsRepository } from './pods.repository';

const job = aJob({ kind: 'create', generation: 3 });

/** A survey of a workspace whose pod 2 is on record, and of which each look finds what the next one here says. */
function surveyOf(...looks: (FoundPod | (() => Promise<unknown>))[]): { survey: PodSurvey; left: () => number; lose: () => void } {
  let isThere = true;
  const find = (): Promise<FoundPod> => {
    const look = looks.shift();
    if (look === undefined) throw new Error('one look too many');
    return Promise.resolve(typeof look === 'function' ? ({ agent: { health: look } } as unknown as FoundPod) : look);
  };
  const pod = { workspaceId: job.workspaceId, generation: 2, status: 'lost' } as PodRow;
  return {
    survey: new PodSurvey(
      { olderThan: () => Promise.resolve([pod]), unsavedBefore: () => Promise.resolve(null) } as unknown as PodsRepository,
      { lastGood: () => Promise.resolve(null) } as unknown as SnapshotsRepository,
      { find, isSalvageable: () => Promise.resolve(isThere) } as unknown as PodAccess,
    ),
    left: () => looks.length,
    lose: () => void (isThere = false),
  };
}

const silent = (): Promise<never> => Promise.reject(new Error('no answer'));
const answering = (status: string) => () => Promise.resolve({ status });
const { signal } = new AbortController();

describe('whether an older pod is to be saved', () => {
  it('is asked more than once: an agent that answers nonsense for a while has something in it all the same', async () => {
    const { survey, left } = surveyOf(silent, silent, answering('ready'));
    expect(await survey.survey(job, signal)).toMatchObject({ podGeneration: 2, salvage: false, stateLost: null });
    expect(left()).toBe(0);
  });

  it('is asked as long as it may only be starting; where it is gone, what it left is salvaged', async () => {
    const { survey, left } = surveyOf('starting', silent, 'gone');
    expect(await survey.survey(job, signal)).toMatchObject({ podGeneration: 2, salvage: true, stateLost: null });
    expect(left()).toBe(0);
  });

  it('is asked six times; what a pod holds that does not answer is salvaged, too', async () => {
    const { survey, left } = surveyOf(...Array.from({ length: 7 }, () => silent));
    expect(await survey.survey(job, signal)).toMatchObject({ podGeneration: 2, salvage: true });
    expect(left()).toBe(1);
  });

  it('is no question where its files are gone: the new pod is told what it lacks', async () => {
    const { survey, lose } = surveyOf('gone');
    lose();
    const stateLost = expect.stringMatching(/^Pod 2 was lost.*There is no snapshot\.$/) as string;
    expect(await survey.survey(job, signal)).toMatchObject({ podGeneration: null, salvage: false, stateLost });
  });

  it('is answered by whoever asks for the last snapshot, unless the pod lives', async () => {
    const fromSnapshot = { ...job, fromSnapshot: true };
    expect(await surveyOf('gone').survey.survey(fromSnapshot, signal)).toMatchObject({
      podGeneration: null,
      stateLost: expect.stringContaining('discarded') as string,
    });
    expect(await surveyOf(answering('ready')).survey.survey(fromSnapshot, signal)).toMatchObject({ podGeneration: 2, stateLost: null });
  });
});
