/** As in `workspaces.e2e.spec.ts`, for those that are about messages. */
import './10-delivered-again.scenario';
import './11-by-messages-alone.scenario';
import './14-publisher-examples.scenario';
import './15-dead-letters.scenario';
import './16-metrics.scenario';
