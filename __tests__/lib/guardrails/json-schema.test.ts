import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { CheckResult } from '#lib/guardrails/json-schema/messages.ts'
import { SchemaValidator } from '#lib/guardrails/json-schema/validator.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const validator = new SchemaValidator(systemClock)
afterEach(() => validator.close())

const check = (schema: unknown, text: string): Promise<CheckResult> =>
  validator.check(JSON.stringify(schema), text)

const ORDER = {
  type: 'object',
  properties: {
    items: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, count: { $ref: '#/$defs/count' } },
        required: ['name'],
        additionalProperties: false,
      },
    },
  },
  required: ['items'],
  $defs: { count: { type: 'integer', minimum: 1 } },
}

describe('the check of a text against a JSON schema', () => {
  it('is valid for a text that matches', async () => {
    expect(await check(ORDER, '{"items":[{"name":"tea","count":2}]}')).toEqual({ outcome: 'valid' })
  })

  it.each([
    ['{"items":[{"name":"tea"},{"name":7}]}', '$.items[1].name', 'type'],
    ['{"items":[{"count":2}]}', '$.items[0]', 'required'],
    ['{"items":[{"name":"tea","count":0}]}', '$.items[0].count', 'minimum'],
    ['{}', '$', 'required'],
    ['[]', '$', 'type'],
    ['{"items":', '$', 'json'],
    ['```json\n{"items":[]}\n```', '$', 'json'],
    ['', '$', 'json'],
  ])('names the first path of %s that fails', async (text, path, keyword) => {
    expect(await check(ORDER, text)).toMatchObject({ outcome: 'invalid', path, keyword })
  })

  it('names no word of the text, and gives the model all of it', async () => {
    const result = await check(ORDER, '{"items":[{"name":"tea","card 4111":"x"}]}')
    expect(result).toMatchObject({ path: '$.items[0].*', explanation: expect.stringContaining('card 4111') })
  })

  it.each([
    ['http://json-schema.org/draft-07/schema#', [{ type: 'string' }, { type: 'number' }]],
    ['https://json-schema.org/draft/2019-09/schema', [{ type: 'string' }, { type: 'number' }]],
  ])('knows the keywords of %s', async ($schema, items) => {
    expect(await check({ $schema, items }, '["a", "b"]')).toMatchObject({ path: '$[1]' })
    expect(await check({ $schema, items }, '["a", 1]')).toEqual({ outcome: 'valid' })
  })

  it.each([
    ['a reference to nothing', { $ref: '#/$defs/none' }],
    ['a reference to another host', { $ref: 'http://169.254.169.254/schema.json' }],
    ['a pattern that is none', { type: 'string', pattern: '(' }],
    ['a list', []],
    ['a text', 'object'],
  ])('cannot use %s as a schema, and fetches nothing', async (_, schema) => {
    expect(await check(schema, '"a"')).toEqual({ outcome: 'unchecked', reason: 'unusable-schema' })
  })

  it('makes no code of a schema', async () => {
    const hostile = { properties: { 'x"]);process.exit(1);//': { const: 'process.exit(1)' } } }
    expect(await check(hostile, '{"a":1}')).toEqual({ outcome: 'valid' })
  })

  it.each([
    [
      'a pattern that backtracks for ever',
      { type: 'string', pattern: '^(a+)+$' },
      JSON.stringify(`${'a'.repeat(60)}!`),
    ],
    [
      'alternatives of alternatives',
      {
        $ref: '#/$defs/a0',
        $defs: Object.fromEntries(
          Array.from({ length: 60 }, (_, at) => [
            `a${at}`,
            at < 59 ? { anyOf: [{ $ref: `#/$defs/a${at + 1}` }, { $ref: `#/$defs/a${at + 1}` }] } : false,
          ]),
        ),
      },
      '1',
    ],
  ])(
    'ends after 500 ms with %s, the event loop free and the next check as usual',
    async (_, schema, text) => {
      await check(ORDER, '{}')
      const startedAt = performance.now()
      let turns = 0
      const timer = setInterval(() => {
        turns += 1
      }, 10)
      const [slow, next] = await Promise.all([check(schema, text), check(ORDER, '{}')])
      clearInterval(timer)
      expect(slow).toEqual({ outcome: 'unchecked', reason: 'too-slow' })
      expect(next).toMatchObject({ outcome: 'invalid' })
      expect(performance.now() - startedAt).toBeGreaterThan(490)
      expect(turns).toBeGreaterThan(10)
    },
  )

  it('takes at most 200 at once', async () => {
    const results = await Promise.all(Array.from({ length: 210 }, () => check(ORDER, '{}')))
    expect(results.filter(({ outcome }) => outcome === 'unchecked')).toHaveLength(10)
  })

  it('ends its thread after a minute without a check', async () => {
    const clock = new FakeClock()
    const idle = new SchemaValidator(clock)
    await idle.check('{}', '1')
    expect(idle.isRunning).toBe(true)
    await clock.advance(60_000)
    expect(idle.isRunning).toBe(false)
  })
})
