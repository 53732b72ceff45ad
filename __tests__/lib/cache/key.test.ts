import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cacheKey } from '#lib/cache/policy.ts'
import { CACHE_KINDS } from '#lib/cache-kinds.ts'
import type { Caller } from '#lib/caller.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import type { Call } from '#lib/llm/types.ts'
import { newJournal } from '#lib/request-context.ts'
import { newCall } from '../../support/calls.ts'

/** An equal value with its objects' fields in another order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, field]) => [name, reversed(field)]),
  )
}

const role = fc.constantFrom('system', 'user', 'assistant')
const messages = fc.array(fc.record({ role, content: fc.string({ unit: 'binary' }) }), {
  minLength: 1,
  maxLength: 4,
})
const shaping = fc.record(
  {
    model: fc.string(),
    messages,
    temperature: fc.option(fc.double({ min: 0, max: 2, noNaN: true }), { nil: undefined }),
    maxOutputTokens: fc.integer({ min: 1, max: 4_000 }),
    maxResponseBytes: fc.integer({ min: 1, max: 20_000 }),
  },
  { requiredKeys: ['model', 'messages', 'maxOutputTokens'] },
)
const caller: fc.Arbitrary<Caller> = fc.oneof(
  fc.record({ kind: fc.constant('guest' as const), id: fc.string(), address: fc.string() }),
  fc.record({ kind: fc.constant('anonymous' as const), address: fc.string() }),
)
const travelling: fc.Arbitrary<Partial<Call>> = fc.record({
  stream: fc.boolean(),
  fallback: fc.boolean(),
  cache: fc.constantFrom('default', 'refresh'),
  cacheTags: fc.array(fc.string()),
  cacheKind: fc.constantFrom(...CACHE_KINDS),
  requestId: fc.string(),
  route: fc.string(),
  deadlineAt: fc.nat(),
  startedAt: fc.nat(),
  plan: fc.constant([]),
  journal: fc.constant(newJournal()),
  signal: fc.constant(AbortSignal.abort()),
})

const keyOf = (changes: object): string | undefined => cacheKey(newCall(changes))
/** Whose the answers are, by the caller's own fields. */
const identity = (who: Caller): string =>
  JSON.stringify(who.kind === 'guest' ? [who.kind, who.id] : [who.kind, who.address])

describe('the key of a question', () => {
  it('is the same whatever the order of its fields', () => {
    fc.assert(
      fc.property(shaping, changes => {
        expect(keyOf(reversed(changes) as object)).toBe(keyOf(changes))
      }),
    )
  })

  it('is the same where a field is absent and where it is undefined', () => {
    expect(keyOf({ temperature: undefined, maxResponseBytes: undefined })).toBe(keyOf({}))
  })

  it('is the same however the call travels', () => {
    fc.assert(
      fc.property(shaping, travelling, (changes, travel) => {
        expect(keyOf({ ...changes, ...travel })).toBe(keyOf(changes))
      }),
    )
  })

  it('is another one for every other question', () => {
    fc.assert(
      fc.property(shaping, shaping, (one, other) => {
        fc.pre(canonicalJson(one) !== canonicalJson(other))
        expect(keyOf(one)).not.toBe(keyOf(other))
      }),
    )
  })

  it.each<[keyof Call, unknown]>([
    ['model', 'fake/other'],
    ['messages', [{ role: 'user', content: 'Hello ' }]],
    ['temperature', 0],
    ['maxOutputTokens', 999],
    ['maxResponseBytes', 999],
    ['maxResponseBytes', { anonymous: 10, guest: 20 }],
  ])('is another one where only %s differs', (name, value) => {
    expect(keyOf({ [name]: value })).not.toBe(keyOf({}))
  })

  it('is another one for every other caller', () => {
    fc.assert(
      fc.property(caller, caller, (one, other) => {
        fc.pre(identity(one) !== identity(other))
        const keys = [keyOf({ caller: one }), keyOf({ caller: other })]
        expect(keys[0] === undefined || keys[0] !== keys[1]).toBe(true)
      }),
    )
  })

  it('is a guest’s own wherever they are, and never that of an address of the same name', () => {
    const guest = { kind: 'guest', id: 'ada', address: '192.0.2.1' } as const
    expect(keyOf({ caller: { ...guest, address: '192.0.2.2' } })).toBe(keyOf({ caller: guest }))
    expect(keyOf({ caller: { kind: 'anonymous', address: 'ada' } })).not.toBe(keyOf({ caller: guest }))
  })

  it('does not exist for a caller whose address is unknown', () => {
    expect(keyOf({ caller: { kind: 'anonymous', address: 'unknown' } })).toBeUndefined()
  })
})
