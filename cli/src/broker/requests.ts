import { randomUUID } from 'node:crypto';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { EXCHANGE_OF, type MessageClass, MESSAGES } from '@reprise/contracts';
import type { Refusal } from '@reprise/messaging';
import type { Environment } from '../environment';
import { EXIT, Failure, reasonOf, unreachable, wrongUsage } from '../failure';
import { brokerAddress } from './address';
import { withConnection } from './channel';

/** Sends a command or a query, and resolves with its answer. @throws Refused, or Failure where there is none */
export type Ask = <T>(message: MessageClass, data: object) => Promise<T>;

/** The service refused, with a code of the closed enum. */
export class Refused extends Failure {
  readonly code: string;

  constructor({ code, message, details }: Refusal) {
    super(`refused: ${code}: ${message}`, EXIT.failed, { code, details });
    this.code = code;
  }
}

const DEADLINE_MS = 10_000;
const RESEND_EVERY_MS = 3_000;

/** Lets the work ask the services over the broker, and closes the connection after it. */
export async function withRequests<T>(
  environment: Environment,
  work: (ask: Ask) => Promise<T>,
  { deadlineMs = DEADLINE_MS, resendEveryMs = RESEND_EVERY_MS }: { deadlineMs?: number; resendEveryMs?: number } = {},
): Promise<T> {
  const address = brokerAddress(environment);
  // The service's connection would try for ever and keep the reason to its log; a person wants to know at once.
  await withConnection(address, () => Promise.resolve());
  // Loaded only here: most commands ask no service, and it takes longer to load than they take.
  const [{ Logger }, messaging] = await Promise.all([import('@nestjs/common'), import('@reprise/messaging')]);
  const { AmqpConnection, catalogOf, Envelope, Requester, RequestFailedError } = messaging;
  Logger.overrideLogger(false);
  const connection = new AmqpConnection({ url: address.url, caFile: address.caFile, name: 'reprise-cli' });
  const requester = new Requester(connection, new Envelope(catalogOf(MESSAGES, EXCHANGE_OF), 'reprise-cli'));
  const ask: Ask = async <T>(message: MessageClass, data: object): Promise<T> => {
    refuseInvalid(message, data);
    const request = { type: message.type, data, id: randomUUID(), actor: 'reprise-cli' };
    // A command that is sent again has the same id, so it has one effect.
    const reply = await requester.request<T>(request, { deadlineMs, resendEveryMs }).catch((error: unknown) => {
      if (error instanceof RequestFailedError && error.reason !== 'unavailable') throw new Failure(`${error.reason}: ${error.message}`);
      throw unreachable(`${message.consumer ?? 'nobody'} does not answer ${message.type}: ${reasonOf(error)}`);
    });
    if (reply.status === 'refused') throw new Refused(reply.refusal);
    return reply.value;
  };
  try {
    return await work(ask);
  } finally {
    requester.close();
    await connection.close();
  }
}

/** By the rules of the contract: a slip of the hand is told here, and does not become a dead letter there. */
function refuseInvalid(message: MessageClass, data: object): void {
  const problems = validateSync(plainToInstance(message, data)).flatMap(({ constraints = {} }) => Object.values(constraints));
  if (problems.length > 0) throw wrongUsage(problems.join('; '));
}
