import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { CHECKS_PROGRAM, Checks } from '#lib/evaluation/checks/checks.ts'

describe('JSON Schemas of clients', () => {
  const stop = new AbortController()
  const checks = new Checks({ clock: systemClock, limitMs: 10_000, program: CHECKS_PROGRAM }).for({
    caller: { kind: 'anonymous', address: '192.0.2.1' },
    signal: stop.signal,
  })
  afterAll(() => stop.abort())

  it.each([
    ['at its top', { $async: true, type: 'string' }],
    ['in a draft of its own', { $schema: 'http://json-schema.org/draft-07/schema#', $async: true }],
    ['as another value than true', { $async: 1, type: 'string' }],
    ['within', { properties: { a: { $async: true, type: 'string' } } }],
    ['behind a reference', { $ref: '#/$defs/a', $defs: { a: { $async: true, type: 'string' } } }],
  ])('are refused with $async %s, and pass nothing', async (_, schema) => {
    expect(await checks.schemaFault(schema)).toMatch(/async/)
    expect(await checks.violations(schema, '{"a":1}')).toMatchObject({ state: 'unknown' })
    expect(await checks.violations({ type: 'string' }, '1')).toMatchObject({ state: 'known' })
  })

  it('may name a property $async', async () => {
    const schema = { properties: { $async: { type: 'string' } } }
    expect(await checks.schemaFault(schema)).toBeUndefined()
    expect(await checks.violations(schema, '{"$async":"a"}')).toEqual({ state: 'known', value: [] })
  })

  const pairs = { items: [{ type: 'string' }], additionalItems: false }
  it.each([
    ['http://json-schema.org/draft-06/schema#', pairs],
    ['http://json-schema.org/draft-07/schema#', pairs],
    ['https://json-schema.org/draft-07/schema', pairs],
    ['https://json-schema.org/draft/2019-09/schema', pairs],
    ['https://json-schema.org/draft/2020-12/schema', { prefixItems: [{ type: 'string' }], items: false }],
  ])('are those of their draft: %s', async ($schema, rest) => {
    const schema = { $schema, ...rest }
    expect(await checks.schemaFault(schema)).toBeUndefined()
    expect(await checks.violations(schema, '["a"]')).toEqual({ state: 'known', value: [] })
    for (const text of ['[1]', '["a","b"]'])
      expect(await checks.violations(schema, text)).toMatchObject({ value: [expect.any(String)] })
  })

  it.each(['http://json-schema.org/draft-04/schema#', 'https://example.com/schema', '', 7])(
    'of another draft are refused, with those that are known: %j',
    async $schema => {
      expect(await checks.schemaFault({ $schema, type: 'string' })).toMatch(/draft-07.*2020-12/)
    },
  )
})
