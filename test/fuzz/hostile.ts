import fc from 'fast-check'

/** Stands in whatever is made up for a request; put in its place when the request goes out is a text that nobody can guess. */
export const MARKER = 'zqMARKERMARKERqz'

/** Texts that have broken something somewhere: empty, endless, outside of what a code point may be, read as something else. */
const NAUGHTY = [
  '',
  ' ',
  '\u0000',
  '\u0000zqMARKERMARKERqz',
  '\ud800',
  '\udfff\ud800',
  '\ufeff',
  '\u202e\u2066zqMARKERMARKERqz',
  'a\u0300\u0301\u0302\u0303\u0304'.repeat(20),
  '\u200b\u2060\u00ad',
  '👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  'İıſK',
  'ﷺ'.repeat(40),
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'null',
  'undefined',
  'NaN',
  '*',
  '@EU',
  'GB',
  '@',
  'user:',
  'user:zqMARKERMARKERqz',
  'v1.',
  'v1.AAAA',
  'a.b.c',
  '..',
  '../../etc/passwd',
  "' OR 1=1; DROP TABLE visitor; --",
  '<script>zqMARKERMARKERqz</script>',
  '"><img src=x onerror=zqMARKERMARKERqz>',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is to be taken for a template by who reads it, if by anyone
  '${zqMARKERMARKERqz}{{7*7}}',
  '\r\nX-Injected: zqMARKERMARKERqz',
  '\n\n\t',
  '%0d%0aX-Injected:%20zqMARKERMARKERqz',
  '%',
  '%zz%',
  '%ff%fe',
  '\\u0000\\',
  'x'.repeat(64),
  'x'.repeat(201),
  'ö'.repeat(101),
  'y'.repeat(5000),
  '2026-99-99T99:99:99Z',
  '-271821-04-20T00:00:00.000Z',
  '+275760-09-13T00:00:00.001Z',
]

/** A text that nobody should send; half of them carry the marker. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAUGHTY) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text + MARKER) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((text) => MARKER + text) },
)

/** Numbers as JSON text, and what only looks like one. */
const NUMBERS = [
  '0',
  '-0',
  '-1',
  '0.5',
  '1e999',
  '-1e999',
  '1e-999',
  '5e-324',
  '1.7976931348623157e308',
  '9007199254740993',
  '-9007199254740993',
  '18446744073709551616',
  '2147483648',
  '4294967296',
  '8640000000000001',
  '1e21',
  '9'.repeat(400),
  `0.${'0'.repeat(400)}1`,
  'NaN',
  'Infinity',
  '01',
  '+1',
  '0x10',
  '1_000',
  '1.',
  '.5',
  '1e',
]
export const hostileNumber: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...NUMBERS), fc.double().map(String), fc.bigInt().map(String))

/** Nesting without end, and breadth without end, in up to 64 KB. */
export const bomb: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('[', '{"a":', '[{"a":', '[[],'), fc.integer({ min: 10, max: 9000 }), fc.boolean())
  .map(([open, depth, closed]) => {
    const close = [...open].reverse().flatMap((char) => (char === '[' ? [']'] : char === '{' ? ['}'] : []))
    const one = open === '[[],' ? ']' : close.join('')
    return open.repeat(depth) + (open.endsWith(':') ? '1' : '[]') + (closed ? one.repeat(depth) : '')
  })
const broad: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('0', '""', '{}', '[]', 'null'), fc.integer({ min: 100, max: 9000 }))
  .map(([one, count]) => `[${Array.from({ length: count }, () => one).join(',')}]`)
const manyKeys: fc.Arbitrary<string> = fc
  .integer({ min: 100, max: 3000 })
  .map((count) => `{${Array.from({ length: count }, (_, i) => `"${MARKER}${i}":${i}`).join(',')}}`)

/** Any JSON text, or nearly, in the place of a value. */
export const hostileJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: hostileText.map((text) => JSON.stringify(text)) },
  { weight: 4, arbitrary: hostileNumber },
  {
    weight: 3,
    arbitrary: fc.constantFrom('null', 'true', 'false', '{}', '[]', '[null]', '{"__proto__":{"x":1}}', '{"length":1e9}', '{"then":1}'),
  },
  { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
  { weight: 1, arbitrary: bomb },
  { weight: 1, arbitrary: fc.oneof(broad, manyKeys) },
)

/** What becomes of a good token in the hands of who would like another. */
export function mutated(text: string): fc.Arbitrary<string> {
  const at = fc.nat({ max: Math.max(0, text.length - 1) })
  const letter = fc.constantFrom(...'ABCdef019-_.=+/~ é')
  return fc.oneof(
    at.map((i) => text.slice(0, i)),
    at.map((i) => text.slice(i)),
    fc.tuple(at, letter).map(([i, char]) => text.slice(0, i) + char + text.slice(i + 1)),
    fc.tuple(at, letter).map(([i, char]) => text.slice(0, i) + char + text.slice(i)),
    fc.tuple(at, at).map(([i, j]) => text.slice(0, Math.min(i, j)) + text.slice(Math.max(i, j))),
    fc.constantFrom(
      text + text,
      text.toUpperCase(),
      `${text}=`,
      `${text}.`,
      ` ${text}`,
      text.split('.').reverse().join('.'),
      text + MARKER,
    ),
  )
}
