import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const TESTS = join(import.meta.dirname, '..')

/** The rows of the catalogue of faults that what stands today can meet. */
const ROWS: Readonly<Record<string, string>> = {
  F1: 'upstream limits, with every kind of Retry-After',
  F2: 'upstream refuses our key or quota',
  F3: 'upstream answers 5xx, a page, or nothing',
  F4: 'upstream cannot be connected to',
  F5: 'TLS reset, bad certificate',
  F6: 'first token stalls',
  F7: 'stream falls silent',
  F8: 'stream breaks off',
  F9: 'stream is malformed',
  F10: 'endless line, a million chunks',
  F11: 'encodings and lengths that lie',
  F12: 'client reads slowly or not at all',
  F13: 'client leaves',
  F14: 'a thousand clients leave',
  F15: 'Redis is absent at boot',
  F16: 'Redis is killed under load',
  F17: 'Redis is silent',
  F18: 'Redis flaps',
  F19: 'Redis refuses, or holds garbage',
  F20: 'Redis loses what it held, amid a batch',
  F21: 'records are locked by somebody else',
  F22: 'the disk is full',
  F23: 'records are damaged',
  F24: 'Postgres is restarted',
  F25: 'SIGTERM under load',
  F26: 'SIGKILL amid a batch',
  F27: 'a worker stands still for longer than its lease',
  F28: 'clock jumps',
  F29: 'more connections than files',
  F30: 'header bombs and smuggling',
  F31: 'JSON bombs',
  F32: 'bodies that are too long',
  F33: 'bytes that are no text',
  F34: 'prototype pollution',
  F35: 'slow clients',
  F37: 'CORS',
  F38: 'CSRF',
  F39: 'webhooks to private addresses',
  F40: 'names that lead elsewhere',
  F41: 'a zip that is called a text',
  F42: 'cells that are formulas',
  F43: 'log injection',
  F45: 'upstream refuses the content',
  F51: 'breaker opens and probes once',
  F52: 'probe hangs, or its client leaves',
  F53: 'random errors open nothing',
  F54: 'identical questions at once',
  F57: 'usage or price unknown',
}

/** Rows that are also, or only, kept elsewhere: the file, and the title there. */
const ELSEWHERE: readonly (readonly [row: string, file: string, title: string])[] = [
  ['F12', 'integration/disconnect.test.ts', 'that reads slowly slows the upstream down'],
  ['F12', 'lib/http/sse.test.ts', 'disconnects a client that reads nothing for a minute'],
  ['F13', 'integration/disconnect.test.ts', 'while it waits for JSON, makes the gateway leave the upstream'],
  [
    'F13',
    'integration/disconnect.test.ts',
    'in the middle of a stream, makes the gateway leave the upstream',
  ],
  ['F14', 'integration/disconnect.test.ts', 'leave no call open upstream'],
  [
    'F25',
    'integration/shutdown.test.ts',
    'says not ready at once, lets a running stream end, and exits with 0',
  ],
  ['F25', 'integration/shutdown.test.ts', 'twice exits at once'],
  [
    'F29',
    'integration/load.test.ts',
    'all come to their end whole, and leave no call open and no memory in use',
  ],
  [
    'F31',
    'integration/hostile-input.test.ts',
    'JSONTestSuite: every file is refused as what it is, none with 5xx',
  ],
  [
    'F33',
    'integration/hostile-input.test.ts',
    'Big List of Naughty Strings: each arrives upstream byte for byte',
  ],
  [
    'F38',
    'integration/limits.test.ts',
    'take no session that is forged, or that another site makes the browser send',
  ],
  ['F39', 'lib/batch/webhook.test.ts', 'does not go where an answer sends it'],
  ['F40', 'lib/batch/names.test.ts', 'never leads elsewhere'],
  ['F41', 'lib/batch/receive.test.ts', "'a ZIP'"],
  [
    'F42',
    'lib/batch/results.test.ts',
    'come back as they were, but for the quote before what would be a formula',
  ],
  ['F51', 'integration/resilience.test.ts', 'then sends one of a thousand callers to look'],
  ['F54', 'integration/cache.test.ts', 'are asked for once by hundreds at the same moment'],
]

const read = (file: string): string => readFileSync(join(TESTS, file), 'utf8')
/** Titles begin with the rows they are about: `F26, F20: …`. */
const titled = globSync(['faults/*.test.ts', 'integration/*.test.ts'], { cwd: TESTS })
  .flatMap(file => [...read(file).matchAll(/['`]((?:F\d+, )*F\d+): /g)])
  .flatMap(([, rows = '']) => rows.split(', '))

describe('the catalogue of faults', () => {
  it.each(Object.entries(ROWS))('has a test for %s, %s', row => {
    const elsewhere = ELSEWHERE.filter(([of]) => of === row)
    expect(titled.includes(row) || elsewhere.length > 0).toBe(true)
    for (const [, file, title] of elsewhere) expect(read(file)).toContain(title)
  })

  it('has no test for a row that it does not name', () => {
    expect(titled.filter(row => !(row in ROWS))).toEqual([])
  })
})
