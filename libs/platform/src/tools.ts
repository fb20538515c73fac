/** What a command of a terminal takes of this library: nothing of the framework, which takes longer to load than most commands take. */
export { within } from './health/indicator';
export { makeStacksReadable } from './logging/readable-stacks';
export { certificateProblem } from './tls/certificate-problem';
export { databaseTls } from './tls/database-tls';
