import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromFile, Parser } from '@asyncapi/parser';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { mayPublish } from './broker-users';
import { MESSAGES } from './catalog';

const FILE = join(__dirname, '../../../docs/asyncapi.json');
const PUBLISHER = 'reprise_publisher';

interface Described {
  summary?: string;
  payload: { $ref?: string; properties?: Record<string, { type?: unknown }>; required?: string[] };
  examples: { payload: object }[];
}

interface Document {
  operations: Record<string, { action: string }>;
  components: { messages: Record<string, Described>; schemas: { Reply: object } };
}

const { operations, components } = JSON.parse(readFileSync(FILE, 'utf8')) as Document;
const { messages } = components;

/** An error or a warning; below that there is only taste. */
const matters = ({ severity }: { severity: number }): boolean => severity <= 1;

describe('docs/asyncapi.json', () => {
  it('is AsyncAPI 3 by the word of its own parser', async () => {
    const { document, diagnostics } = await fromFile(new Parser(), FILE).parse();
    expect(diagnostics.filter(matters).map(({ message, path }) => `${path.join('.')}: ${message}`)).toEqual([]);
    expect(document?.version()).toBe('3.0.0');
  });

  it.each([
    ['"action": "receive"', '"action": "take"'],
    ['#/channels/RestartWorkspace"', '#/channels/Nowhere"'],
  ])('would not be with %s as %s', async (right, wrong) => {
    const { diagnostics } = await new Parser().parse(readFileSync(FILE, 'utf8').replaceAll(right, wrong));
    expect(diagnostics.filter(matters)).not.toEqual([]);
  });

  it('has examples that its own schemas allow, which fail where a field is taken away or of another kind', () => {
    const ajv = addFormats(new Ajv({ allowUnionTypes: true }));
    for (const [name, { payload, examples }] of Object.entries(messages)) {
      const allows = ajv.compile(payload.$ref ? components.schemas.Reply : payload);
      for (const example of examples) expect([name, allows(example.payload), allows.errors]).toEqual([name, true, null]);
      for (const field of payload.required ?? []) {
        for (const wrong of [undefined, { not: 'this' }, Symbol('nor this')]) {
          const spoilt = { ...examples[0]?.payload, [field]: wrong };
          const free = payload.properties?.[field]?.type === 'object' && typeof wrong === 'object';
          expect([name, field, allows(spoilt)]).toEqual([name, field, free]);
        }
      }
    }
  });

  it('has every command and query that an internal service may send, every event, and no other message', () => {
    const of = (action: string) => Object.keys(operations).filter((name) => operations[name]?.action === action);
    const names = (kind: string) => MESSAGES.filter((message) => message.kind === kind);
    expect(of('receive').sort()).toEqual(
      [...names('command'), ...names('query')]
        .filter((message) => mayPublish(PUBLISHER, message))
        .map(({ name }) => name)
        .sort(),
    );
    expect(of('send').sort()).toEqual(
      names('event')
        .map(({ name }) => name)
        .sort(),
    );
  });

  it('says of every message what it is for, and offers nothing that only the gateway may send', () => {
    for (const [name, { summary, payload }] of Object.entries(messages)) {
      expect([name, summary]).toEqual([name, expect.any(String)]);
      expect(Object.keys(payload.properties ?? {})).not.toEqual(expect.arrayContaining(['caller']));
    }
  });
});
