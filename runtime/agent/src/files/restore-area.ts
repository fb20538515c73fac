import type { RawPath } from './raw-path';

/**
 * The directory in the workspace that restores work in. Within, not beside: the workspace may be a mount point, and then nothing beside it is on
 * its file system. No snapshot holds it, and no archive may bring an entry of this name.
 */
export const RESTORE_AREA: RawPath = '.reprise-restore';
