import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardrailJudges, judgeSettings } from '#lib/config/guardrails/judges.ts'

const REFERENCE = '$' + '{JUDGE_KEY}'
const parse = (...judges: readonly object[]) => guardrailJudges.safeParse(judges)
const messages = (...judges: readonly object[]) =>
  parse(...judges).error?.issues.map(({ message }) => message)

describe('guardrails.judges of the configuration', () => {
  it('takes the four kinds of services', () => {
    expect(
      parse(
        { type: 'openai-moderation', apiKey: REFERENCE, thresholds: { violence: 0.5 }, failMode: 'closed' },
        {
          type: 'llama-guard',
          baseUrl: 'http://10.0.0.5:8000',
          model: 'guard',
          categories: ['S1'],
          action: 'block',
        },
        { type: 'presidio', baseUrl: 'http://presidio:3000', places: ['user'], action: 'redact' },
        { type: 'webhook', url: 'https://checks.example/x', secret: REFERENCE, timeoutMs: 300 },
      ).success,
    ).toBe(true)
  })

  it.each<[string, object]>([
    ['a secret in the file', { type: 'openai-moderation', apiKey: 'sk-1234' }],
    ['a webhook without a secret', { type: 'webhook', url: 'https://a.example' }],
    ['a password in an address', { type: 'presidio', baseUrl: 'http://u:p@a.example' }],
    ['another scheme', { type: 'presidio', baseUrl: 'file:///etc/passwd' }],
    ['a base URL with a query', { type: 'presidio', baseUrl: 'http://a.example?x=1' }],
    ['an unknown kind', { type: 'oracle' }],
    ['an unknown field', { type: 'presidio', baseUrl: 'http://a.example', treshold: 1 }],
    [
      'a category that Llama Guard does not have',
      { type: 'llama-guard', baseUrl: 'http://a', model: 'm', categories: ['S15'] },
    ],
    ['redaction by verdicts on whole texts', { type: 'openai-moderation', action: 'redact' }],
  ])('refuses %s', (_, judge) => {
    expect(parse(judge).success).toBe(false)
  })

  it('refuses two judges of one name, also of one kind without names', () => {
    const presidio = { type: 'presidio', baseUrl: 'http://a.example' }
    expect(messages(presidio, presidio)).toEqual(['must have a name of its own for each'])
    expect(messages(presidio, { ...presidio, name: 'second' })).toBeUndefined()
  })

  it('has a JSON Schema, for editors', () => {
    const { items } = z.toJSONSchema(guardrailJudges, { io: 'input' })
    expect(items).toMatchObject({ oneOf: [{}, {}, {}, {}] })
  })

  it('puts the values of variables in place of their names, and lists all that are not set', () => {
    const judges = guardrailJudges.parse([
      { type: 'openai-moderation', apiKey: REFERENCE },
      { type: 'webhook', url: 'https://a.example', secret: REFERENCE },
    ])
    expect(judgeSettings(judges, () => 'value')).toMatchObject([{ apiKey: 'value' }, { secret: 'value' }])
    expect(() => judgeSettings(judges, () => undefined)).toThrow(
      /judges\[0\]\.apiKey needs the variable JUDGE_KEY.*judges\[1\]\.secret/s,
    )
  })
})
