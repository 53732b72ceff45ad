import { describe, expect, it } from 'vitest'
import { writesForAnHour } from '#lib/budgets/hour-writes.ts'
import type { Call } from '#lib/llm/types.ts'
import { newCall } from '../../support/calls.ts'
import { openAiCall } from '../../support/dialect-calls.ts'

const HOUR = { type: 'ephemeral', ttl: '1h' }
const SHORT = { type: 'ephemeral', ttl: '5m' }

describe('a prompt that a vendor is to keep for an hour', () => {
  const bodyWith = (cache_control: object) =>
    JSON.stringify({
      model: 'm',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control }] }],
    })

  it.each<[object, boolean]>([
    [HOUR, true],
    [SHORT, false],
  ])(
    'is known by a part, with the client’s body and without it, as where the gateway’s tools run: %o',
    async (control, is) => {
      const call = await openAiCall(bodyWith(control))
      expect(writesForAnHour(call)).toBe(is)
      expect(writesForAnHour({ ...call, raw: undefined })).toBe(is)
    },
  )

  it('is known by a tool', () => {
    const withTool = (cacheControl?: object): Call =>
      newCall({ parameters: { tools: [{ name: 'weather', ...(cacheControl && { cacheControl }) }] } })
    expect([HOUR, SHORT, undefined].map(one => writesForAnHour(withTool(one)))).toEqual([true, false, false])
  })
})
