import { resolve } from 'node:path';

/** The folder of committed definitions that the set-up applies; the same from `src` and from `dist`. */
export const DEPLOY = resolve(__dirname, '../../deploy');
