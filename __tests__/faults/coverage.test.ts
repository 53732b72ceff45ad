import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const TESTS = join(import.meta.dirname, '..')

/** The rows of the catalogue of faults that concern upstreams, clients and the host. */
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
  F25: 'SIGTERM under load',
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
  ['F12', 'lib/http/sse.test.ts', 'gives up a client that reads nothing for a minute'],
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
    'all come to their end whole, and leave no call open and no memory behind',
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
  ['F51', 'integration/resilience.test.ts', 'then sends one of a thousand callers to look'],
  ['F54', 'integration/cache.test.ts', 'are asked for once by hundreds at the same moment'],
]

const read = (file: string): string => readFileSync(join(TESTS, file), 'utf8')
const titlesHere = globSync('faults/*.test.ts', { cwd: TESTS })
  .flatMap(file => [...read(file).matchAll(/['`](F\d+): /g)])
  .map(([, row = '']) => row)

describe('the catalogue of faults', () => {
  it.each(Object.entries(ROWS))('has a test for %s, %s', row => {
    const elsewhere = ELSEWHERE.filter(([of]) => of === row)
    expect(titlesHere.includes(row) || elsewhere.length > 0).toBe(true)
    for (const [, file, title] of elsewhere) expect(read(file)).toContain(title)
  })

  it('has no test for a row that it does not name', () => {
    expect(titlesHere.filter(row => !(row in ROWS))).toEqual([])
  })
})
