import { createLogger } from '../logging/logger';
import { exitAtStart } from './failure';

describe('exitAtStart', () => {
  const lines: string[] = [];
  const logger = createLogger({ name: 'sample', level: 'info', format: 'json', destination: { write: (line) => void lines.push(line) } });
  let exit: jest.SpyInstance;

  beforeEach(() => {
    lines.length = 0;
    exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  });
  afterEach(() => exit.mockRestore());

  it.each([
    ['an error', new Error('the first line\nand a screen more'), 'could not start: the first line'],
    ['one without words', Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'could not start: ECONNREFUSED'],
    ['one with a password', new Error('cannot reach amqp://u:hidden@host'), 'could not start: cannot reach amqp://[redacted]@host'],
  ])('says the reason of %s in one line and exits with 1', (_, error, message) => {
    exitAtStart(logger, error);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expect.objectContaining({ level: 'fatal', msg: message })]);
    expect(exit).toHaveBeenCalledWith(1);
  });
});
