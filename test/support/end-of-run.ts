import { withDatabase } from './infrastructure';
import { dropTemplate } from './migrated-template';

/** Jest's global teardown: takes away what the test files of a run share. */
export default async function endOfRun(): Promise<void> {
  const { TEST_DATABASE_URL } = process.env;
  if (TEST_DATABASE_URL) await withDatabase(TEST_DATABASE_URL, dropTemplate);
}
