import { describe, expect, it } from 'vitest'
import { retryAfterSeconds } from '#lib/llm/providers/shared/retry-after.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const read = (headers: Record<string, string>) => retryAfterSeconds(new Headers(headers), NOW)

describe('retryAfterSeconds', () => {
  it.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after': '2' }, 2],
    [{ 'retry-after': '0' }, 1],
    [{ 'retry-after': '1.2' }, 2],
    [{ 'retry-after': '9999' }, 9_999],
    [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }, 30],
    [{ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, undefined],
    [{ 'retry-after-ms': '1500' }, 2],
    [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 2],
    [{ 'retry-after-ms': 'x', 'retry-after': '60' }, 60],
    [{ 'retry-after': '-1' }, undefined],
    [{ 'retry-after': 'abc' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{}, undefined],
  ])('reads %o as %s', (headers, expected) => expect(read(headers)).toBe(expected))
})
