import { describe, expect, it } from 'vitest'
import type { Endpoint } from '#lib/llm/passthrough.ts'
import type { Target } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { DEFAULT_IMAGE_CHAIN, imagePlan } from '#lib/routing/image-chain.ts'

const CHAIN: readonly Target[] = DEFAULT_IMAGE_CHAIN.map(({ model, quality }) => ({
  provider: 'fake',
  model,
  name: model,
  ...(quality !== undefined && { quality }),
}))

const planOf = (
  model: string,
  body: object,
  { endpoint = 'images/generations' as Endpoint, namesModel = true } = {},
) => {
  const passthrough = {
    endpoint,
    body: { kind: 'json', members: membersOf(JSON.stringify(body)) },
    namesModel,
    inputs: 1,
  } as const
  return imagePlan({ passthrough, model }, CHAIN)?.map(({ name, quality }) =>
    [name, quality ?? ''].join(' ').trim(),
  )
}

describe('the plan of a request for images', () => {
  const WHOLE = ['dall-e-3 hd', 'dall-e-3 standard', 'dall-e-2', 'stable-diffusion']

  it.each<[string, string, object, readonly string[]]>([
    ['the whole chain for dall-e-3 in hd', 'dall-e-3', { quality: 'hd' }, WHOLE],
    ['from standard on for dall-e-3 in standard', 'dall-e-3', { quality: 'standard' }, WHOLE.slice(1)],
    ['from its usual quality on where none is named', 'dall-e-3', {}, WHOLE.slice(1)],
    ['from there on for dall-e-2', 'dall-e-2', { quality: 'standard' }, WHOLE.slice(2)],
    ['nothing else for the last model', 'stable-diffusion', {}, WHOLE.slice(3)],
  ])('is %s', (_, model, body, plan) => {
    expect(planOf(model, body)).toEqual(plan)
  })

  it('is the whole chain where the client names no model', () => {
    expect(planOf('dall-e-3', {}, { namesModel: false })).toEqual(WHOLE)
  })

  it('is the model’s own where that is not in the chain, and for every other endpoint', () => {
    expect(planOf('gpt-image-1', {})).toBeUndefined()
    expect(planOf('dall-e-2', {}, { endpoint: 'images/edits' })).toBeUndefined()
  })
})
