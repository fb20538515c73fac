import type { Bench, Row } from '../bench';
import { lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import { Echo } from '../peers/echo/echo';
import { acceptedPerSecond } from './accept';
import { orderOf, restarts } from './requests';
import { TEN_THOUSAND } from './worlds';

/** Of one round: as long as twenty-five answers take where each waits for Nagle's algorithm. */
const SECONDS = 1.2;

export const stock: Row = {
  name: 'stock',
  about: 'restarts accepted a second over one connection, beside the echo as the Nest RabbitMQ transport comes',
  async measure(bench) {
    await bench.fleet.have('none');
    await bench.worlds.enter(TEN_THOUSAND);
    const start = (acknowledging: boolean): Promise<Echo> => Echo.start(bench.broker.adminUrl, { noDelay: false, acknowledging });
    const [plain, acknowledging] = await Promise.all([start(false), start(true)]);
    try {
      const figures = await inTurns(
        {
          ours: () => acceptedPerSecond(bench, 1_000, { connections: 1, seconds: SECONDS }),
          plain: () => echoedPerSecond(bench, plain),
          acknowledging: () => echoedPerSecond(bench, acknowledging),
        },
        bench.turns,
      );
      const about = { row: 'stock', what: 'restarts accepted, one connection', unit: '/s', goal: { at: 'least', value: 20 } } as const;
      return [
        lineOfRounds(about, 'stock echo', roundsOf(figures.ours, figures.plain)),
        lineOfRounds(about, 'stock echo that acknowledges', roundsOf(figures.ours, figures.acknowledging)),
      ];
    } finally {
      await Promise.all([plain.stop(), acknowledging.stop()]);
    }
  },
};

async function echoedPerSecond(bench: Bench, { url }: Echo): Promise<number> {
  const order = { requests: restarts(1_000), keys: true, seconds: SECONDS, connections: 1 };
  return (await bench.load.send(orderOf(bench, url, order), 202)).perSecond;
}
