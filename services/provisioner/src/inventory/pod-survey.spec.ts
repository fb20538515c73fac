import { aJob } from '../jobs/testing/job';
import type { SnapshotsRepository } from '../snapshot-records/snapshots.repository';
import type { FoundPod, PodAccess } from './pod-access';
import { PodSurvey } from './pod-survey.service';
import type { PodRow, PodsRepository } from './pods.repository';

const job = aJob({ kind: 'create', generation: 3 });

/** A survey of a workspace whose pod 2 is on record, and of which each look finds what the next one here says. */
function surveyOf(...looks: (FoundPod | (() => Promise<unknown>))[]): { survey: PodSurvey; left: () => number } {
  const find = (): Promise<FoundPod> => {
    const look = looks.shift();
    if (look === undefined) throw new Error('one look too many');
    return Promise.resolve(typeof look === 'function' ? ({ agent: { health: look } } as unknown as FoundPod) : look);
  };
  const pod = { workspaceId: job.workspaceId, generation: 2, status: 'lost' } as PodRow;
  return {
    survey: new PodSurvey(
      { olderThan: () => Promise.resolve([pod]) } as unknown as PodsRepository,
      { lastGood: () => Promise.resolve(null) } as unknown as SnapshotsRepository,
      { find } as unknown as PodAccess,
    ),
    left: () => looks.length,
  };
}

const silent = (): Promise<never> => Promise.reject(new Error('no answer'));
const answering = (status: string) => () => Promise.resolve({ status });
const { signal } = new AbortController();

describe('whether an older pod is to be saved', () => {
  it('is asked more than once: an agent that answers nonsense for a while has something in it all the same', async () => {
    const { survey, left } = surveyOf(silent, silent, answering('ready'));
    expect(await survey.survey(job, signal)).toMatchObject({ podGeneration: 2 });
    expect(left()).toBe(0);
  });

  it('is asked as long as it may only be starting, and ends where it is gone', async () => {
    const { survey, left } = surveyOf('starting', silent, 'gone');
    expect(await survey.survey(job, signal)).toMatchObject({ podGeneration: null });
    expect(left()).toBe(0);
  });

  it('is given up after six times', async () => {
    const { survey, left } = surveyOf(...Array.from({ length: 7 }, () => silent));
    expect(await survey.survey(job, signal)).toMatchObject({ podGeneration: null });
    expect(left()).toBe(1);
  });

  it('is no question with one that never got past starting', async () => {
    expect(await surveyOf(answering('starting')).survey.survey(job, signal)).toMatchObject({ podGeneration: null });
  });
});
