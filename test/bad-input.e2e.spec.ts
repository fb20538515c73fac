/** As in `workspaces.e2e.spec.ts`, for those that send what is wrong. */
import './12-bad-input.scenario';
import './13-bad-messages.scenario';
