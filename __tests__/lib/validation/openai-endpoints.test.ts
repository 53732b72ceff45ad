import { describe, expect, it } from 'vitest'
import { endpointBody } from '#lib/validation/openai-endpoints.ts'
import { check } from '#lib/validation/zod.ts'

describe('a request for completions', () => {
  const faultsOf = (body: object) =>
    check(endpointBody.completions, body).faults?.map(({ path, message }) => `${path} ${message}`)

  it.each([
    { n: 1e308 },
    { n: 0 },
    { n: 129 },
    { best_of: 1e308 },
    { best_of: 1.5 },
    { max_tokens: 1e308 },
    { max_tokens: -1 },
  ])('is refused where it asks for no number of answers or tokens: %o', body => {
    expect(faultsOf({ prompt: 'Hi', ...body })?.[0]).toContain(Object.keys(body).join())
  })

  it('may leave them out, and ask for anything else', () => {
    const body = { prompt: ['a', 'b'], n: 128, best_of: null, max_tokens: 0, logprobs: 'all' }
    expect(faultsOf(body)).toBeUndefined()
  })
})
