import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { mock } from '#lib/llm/providers/mock.ts'
import { newAttempt, newCall } from '../../support/calls.ts'

const provider = mock({ latencyMs: 0, chunkMs: 0, clock: systemClock, newId: () => 'chat_1' })

describe('the mock provider', () => {
  it.each(['constructor', '__proto__', 'toString', 'nothing'])('has no model called %s', async model => {
    const target = { provider: 'mock', model, name: `mock/${model}` }
    await expect(provider.ask(newCall(), target, newAttempt())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
