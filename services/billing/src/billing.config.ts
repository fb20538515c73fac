import { DatabaseServiceConfig } from '@reprise/platform';

/** The settings of the billing service: those of every service with a database, and none of its own. */
export class BillingConfig extends DatabaseServiceConfig {}
