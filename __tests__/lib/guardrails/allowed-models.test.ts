import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { allowedPlan, isAmongModels, refuseModel } from '#lib/guardrails/allowed-models.ts'
import { openAiErrorBody, openAiStatus } from '#lib/http/dialects/openai-error.ts'
import type { Target } from '#lib/llm/types.ts'

const target = (provider: string, model: string, name = model): Target => ({ provider, model, name })
const MINI = target('openai', 'gpt-5-mini-2026', 'mini')
const OPUS = target('anthropic', 'claude-opus')
const LLAMA = target('groq', 'llama-4')
const names = {
  targetOf: (model: string) => [MINI, OPUS, LLAMA].find(({ name }) => name === model),
  targetsOfAlias: (name: string) => (name === 'smart' ? [OPUS, MINI] : undefined),
}
const refusedBy = (model: string, allowed: readonly string[]): unknown => {
  try {
    refuseModel({ model }, allowed, names)
    return undefined
  } catch (error) {
    return error
  }
}

describe('a list of allowed models', () => {
  it.each([
    ['the requested name', 'mini'],
    ['the provider’s own name', 'gpt-5-mini-2026'],
    ['the provider’s own name with the provider', 'openai/gpt-5*'],
    ['a pattern', 'm*i'],
    ['every model', '*'],
  ])('allows a model by %s', (_, pattern) => {
    expect(refusedBy('mini', [pattern])).toBeUndefined()
  })

  it.each([['claude-*'], ['min'], ['MINI'], ['openai']])('does not allow another by %s', pattern => {
    expect(refusedBy('mini', [pattern])).toBeInstanceOf(GatewayError)
  })

  it('allows none where it is empty', () => {
    expect(refusedBy('mini', [])).toBeInstanceOf(GatewayError)
  })

  it('refuses with 403 on /api, and with 404 model_not_found on /v1', () => {
    const error = refusedBy('mini', ['claude-*'])
    if (!(error instanceof GatewayError)) throw new Error('it was not refused')
    expect([error.code, error.status]).toEqual(['FORBIDDEN', 403])
    expect(openAiStatus(error)).toBe(404)
    expect(openAiErrorBody(error).error).toMatchObject({
      code: 'model_not_found',
      type: 'invalid_request_error',
      message: 'The model “mini” is not allowed here.',
    })
  })

  it('leaves fallbacks out that are not in it', () => {
    expect(allowedPlan({ model: 'mini', plan: [MINI, LLAMA, OPUS] }, ['mini', 'claude-*'], names)).toEqual([
      MINI,
      OPUS,
    ])
  })

  it('allows the targets of an alias by its name, and none that only fall back from them', () => {
    expect(allowedPlan({ model: 'smart', plan: [OPUS, MINI, LLAMA] }, ['smart'], names)).toEqual([OPUS, MINI])
    expect(allowedPlan({ model: 'smart', plan: [OPUS, MINI] }, ['mini'], names)).toEqual([MINI])
  })

  it('refuses a plan of which nothing is left', () => {
    expect(() => allowedPlan({ model: 'smart', plan: [LLAMA] }, ['claude-*'], names)).toThrow(/not allowed/)
  })
})

describe('a rule for models', () => {
  it.each([
    ['mini', 'mini'],
    ['mini', 'gpt-5-mini-2026'],
    ['mini', 'openai/*'],
    ['smart', 'smart'],
    ['unknown', 'unk*'],
  ])('is for %s by %s', (model, pattern) => {
    expect(isAmongModels(model, ['other', pattern], names)).toBe(true)
  })

  it.each([
    ['mini', 'claude-*'],
    ['smart', 'mini'],
    ['unknown', 'mini'],
    [undefined, '*'],
  ])('is not for %s by %s', (model, pattern) => {
    expect(isAmongModels(model, [pattern], names)).toBe(false)
  })

  it('is for an alias of which it names every target', () => {
    expect(isAmongModels('smart', ['mini', 'anthropic/*'], names)).toBe(true)
  })
})
