import type { Caller } from '../caller';
import type { Answer } from '../http';
import { ANSWERS, DESCRIPTION, headerSchema, type Operation } from './api';
import { RAW } from './probes';
import type { Request } from './requests';

/** What Node's HTTP server writes of its own. */
const OF_HTTP = ['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding'];

/** Sends what was generated, as it is. */
export async function send(caller: Caller, operation: Operation, request: Request): Promise<Answer> {
  const { path, query, headers, body } = request;
  const address = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const asked = query.map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join('&');
  const options = { headers, ...(body === undefined ? {} : { raw: written(body) }) };
  return caller.send(operation.method, address + (asked ? `?${asked}` : ''), options);
}

function written(body: unknown): string {
  return (body as { [RAW]?: string } | null)?.[RAW] ?? JSON.stringify(body);
}

/** What the document does not say of an answer: its status, its body, its code or one of its headers; null where it says all. */
export function undocumented({ responses }: Operation, answer: Answer): string | null {
  const response = responses[String(answer.status)];
  if (!response) return `the status ${answer.status} is not documented`;
  const { schema, examples } = response.content['application/json'];
  const problem = ANSWERS.problem(schema, answer.body);
  if (problem !== null) return `the body is not as documented: ${problem}`;
  const code = codeOf(answer);
  if (code !== undefined && !Object.hasOwn(examples ?? {}, code)) return `${code} is not documented with ${answer.status}`;
  return undocumentedHeader(response.headers, answer.headers);
}

/** The code of a refusal; undefined where it is none. */
export function codeOf({ body }: Answer): string | undefined {
  return body?.error?.code as string | undefined;
}

function undocumentedHeader(documented: Record<string, { $ref: string }>, sent: Headers): string | null {
  const byName = new Map(Object.entries(documented).map(([name, header]) => [name.toLowerCase(), headerSchema(header)]));
  const everywhere = securityHeaders();
  for (const [name, text] of sent) {
    if (OF_HTTP.includes(name) || everywhere.includes(name)) continue;
    const schema = byName.get(name);
    if (!schema) return `the header ${name} is not documented`;
    const value = schema.type === 'integer' ? Number(text) : text;
    if (!ANSWERS.allows(schema, value)) return `the header ${name} is not as documented: ${text}`;
  }
  return null;
}

/** The headers that every answer has, as the description names them: the last paragraph of the introduction. */
export function securityHeaders(): string[] {
  const [paragraph = ''] = DESCRIPTION.split('\n\n').slice(-1);
  return [...paragraph.matchAll(/`([A-Za-z-]+)`/g)].map(([, name = '']) => name.toLowerCase());
}
