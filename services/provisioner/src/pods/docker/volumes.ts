import type { VolumeInspectInfo } from 'dockerode';
import type { Engine } from './engine';
import { EngineError } from './engine-error';

/** The volumes with these labels. An answer that is no list is an error, never an empty list. */
export async function listVolumes(engine: Engine, filters: Record<string, string[]>): Promise<VolumeInspectInfo[]> {
  const answer = await engine.call('list volumes', (docker, limited) =>
    docker.listVolumes({ filters: JSON.stringify(filters), ...limited }),
  );
  const volumes = answer.Volumes as unknown;
  // The engine says null where there is none.
  if (volumes === null) return [];
  if (!Array.isArray(volumes)) throw new EngineError('list volumes', 'bad answer', 'the answer is no list of volumes');
  return volumes as VolumeInspectInfo[];
}

/** Whether nothing of it is left; false where something still uses it. */
export async function removeVolume(engine: Engine, name: string): Promise<boolean> {
  try {
    await engine.call('remove volume', (docker, limited) => docker.getVolume(name).remove(limited));
    return true;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.code === 404) return true;
    if (error.code === 409) return false;
    throw error;
  }
}
