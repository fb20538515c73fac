import { OutputBuffer } from './output-buffer';

const textOf = (limit: number, ...chunks: (string | Buffer)[]): string => {
  const buffer = new OutputBuffer(limit);
  for (const chunk of chunks) buffer.add(Buffer.from(chunk));
  return buffer.text();
};

describe('an output', () => {
  it('that fits is kept as it is', () => {
    expect(textOf(10, '')).toBe('');
    expect(textOf(10, '12345', '67890')).toBe('1234567890');
  });

  it('that is too long keeps its end and says how much is missing', () => {
    expect(textOf(10, '12345', '67890', 'abc')).toBe('[3 bytes before this are left out]\n4567890abc');
    expect(textOf(3, 'x'.repeat(1000), 'end')).toBe('[1000 bytes before this are left out]\nend');
  });

  it('is never cut within a character', () => {
    expect(textOf(5, 'aé你🎉')).toBe('[6 bytes before this are left out]\n🎉');
  });

  it('holds no byte that a column of text cannot hold', () => {
    expect(textOf(10, Buffer.from([0x61, 0x00, 0xff, 0x62]))).toBe('a\uFFFD\uFFFDb');
  });
});
