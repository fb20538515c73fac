import { resolve } from 'node:path';

/** The folder of committed definitions that the set-up applies; the same from `src` and from `dist`. */
export const DEPLOY = resolve(__dirname, '../../deploy');

/** A service's migrations, in a checkout as in the image `setup`. */
export const migrateScript = (service: string): string => resolve(__dirname, `../../services/${service}/dist/migrate.js`);

/** Says which version of Reprise this is. */
export const PACKAGE = resolve(__dirname, '../package.json');
