import { CONTROLLERS, VERSION } from './docs/api';
import { describeApi } from './docs/describe-api';

/** The text of docs/openapi.json, made from the routes. Needs neither a broker nor a network. */
export function openapi(): string {
  return `${JSON.stringify(describeApi(CONTROLLERS, VERSION), null, 2)}\n`;
}
