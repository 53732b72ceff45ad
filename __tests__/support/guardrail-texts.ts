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
  'beginnings of signs': '<|im_![a](http://',
}

/** Texts of nothing but what detectors must look at twice: they take longer than others, and are linear too. */
export const DENSE_UNITS: Readonly<Record<string, string>> = {
  'small numbers': '12 34 ',
  'numbers of three digits': '123 456 ',
  'numbers in fours': '4111 1111 ',
  'beginnings of accounts': 'DE89 ',
  'prefixes of keys': 'sk-ant-',
}

/** In milliseconds of CPU time, for 100 kB, and for one turn of the event loop in 1 MB. */
export interface SpeedFigures {
  readonly sensitiveDataMs: number
  readonly sensitiveDataOfTenTimesMs: number
  readonly injectionMs: number
  readonly injectionOfTenTimesMs: number
  readonly longestTurnMs: number
}
