import { dataSourceOptions } from './settings';

const BASE = { url: 'postgres://u:p@host/db', schema: 'sample', applicationName: 'sample' };

describe('dataSourceOptions', () => {
  it('never synchronises a schema and never migrates by itself', () => {
    expect(dataSourceOptions(BASE)).toMatchObject({ synchronize: false, migrationsRun: false, installExtensions: false });
  });

  it('makes the schema the only one that unqualified names mean', () => {
    expect(dataSourceOptions(BASE)).toMatchObject({
      schema: 'sample',
      extra: { options: expect.stringContaining('-c search_path=sample ') },
    });
  });

  it('keeps the server options of the URL, and its own before them', () => {
    const { url, extra } = dataSourceOptions({ ...BASE, url: `${BASE.url}?options=-c%20jit%3Doff&sslmode=disable` });
    expect(url).toBe('postgres://u:p@host/db?sslmode=disable');
    expect(extra.options).toMatch(/^-c jit=off -c search_path=sample /);
  });

  it('lets an authority go before what the URL says of TLS', () => {
    const { url, ssl } = dataSourceOptions({ ...BASE, url: `${BASE.url}?sslmode=disable&application_name=a`, caFile: __filename });
    expect(url).toBe('postgres://u:p@host/db?application_name=a');
    expect(ssl).toEqual({ ca: expect.stringContaining('lets an authority go before'), host: 'host' });
  });
});
