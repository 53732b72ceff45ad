/** What makes a regular expression slow, and what long texts are made of: each is repeated. */
export const SPEED_UNITS: Readonly<Record<string, string>> = {
  prose: 'The quick brown fox, aged 42, jumps over the lazy dog at 10:30. ',
  letters: 'a',
  parentheses: '(',
  digits: '1',
  'at signs': '@',
  'nearly addresses': 'a@',
  'dotted words': 'a.b-c.',
  base64: 'TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcms',
  colons: 'a:b::',
  hyphens: '-',
  'beginnings of keys': '-----BEGIN PRIVATE KEY-----',
  'an endless key': `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(99_000)}`,
  'Han characters': '漢字',
  'words in leetspeak': '1gn0r3 ',
  'spaced letters': 'i g n o r e ',
  escapes: '%41&#65;',
  'JSON in JSON': '{\\"key\\":\\"v\\\\n\\u0041\\"},',
  backslashes: '\\',
  'beginnings of signs': '<|im_![a](http://',
}

/** Texts of nothing but what detectors must look at twice: they take longer than others, and are linear too. */
export const DENSE_UNITS: Readonly<Record<string, string>> = {
  'small numbers': '12 34 ',
  'numbers of three digits': '123 456 ',
  'numbers in fours': '4111 1111 ',
  'columns of numbers': '4111\t1111\n',
  'cards in a table': '4111  1111  1111  1111  ',
  'cards with check numbers': '4111111111111111-123 ',
  'beginnings of accounts': 'DE89 ',
  'prefixes of keys': 'sk-ant-',
}

/** How fast a text of 100 kB is inspected, and one of ten times as much. */
export interface SpeedFigures {
  /** Milliseconds of CPU time for 100 kB. */
  readonly sensitiveDataMs: number
  /** How many times as long 1 MB takes as its ten tenths: 1 where the time is linear, 10 where it is quadratic. */
  readonly sensitiveDataGrowth: number
  readonly injectionGrowth: number
  /** The longest turn of the event loop in 1 MB, in milliseconds of CPU time. */
  readonly longestTurnMs: number
}
