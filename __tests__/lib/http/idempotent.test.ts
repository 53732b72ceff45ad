import { describe, expect, it } from 'vitest'
import type { Caller } from '#lib/caller.ts'
import { readJson } from '#lib/http/body.ts'
import { idempotently } from '#lib/http/idempotent.ts'
import type { Idempotency } from '#lib/idempotency/types.ts'
import { newCall } from '../../support/calls.ts'

const caller: Caller = { kind: 'key', id: 'key_1', name: 'one', role: 'member', address: '192.0.2.1' }

/** Runs a request with a key; tells what was claimed. */
const asked = async (run: (request: Request) => Promise<unknown>, hasBody = true) => {
  const claims: string[] = []
  const idempotency: Idempotency = {
    mostBytes: 1_000,
    claim: async (_, fingerprint) => {
      claims.push(fingerprint)
      const claim = {
        complete: async () => void claims.push('complete'),
        completeWithoutResult: async () => {},
        release: async () => void claims.push('release'),
      }
      return { state: 'claimed', claim }
    },
  }
  const headers = { 'content-type': 'application/json' }
  const request = new Request('http://gateway/v1/x', { method: 'POST', headers, body: '{"a":1}' })
  const answer = idempotently(
    {
      request,
      key: 'one',
      context: newCall({ caller }),
      hasBody,
      run: async () => {
        await run(request)
        return { json: {} }
      },
    },
    idempotency,
  )
  return { claims, answer }
}

describe('a request with an Idempotency-Key', () => {
  it('is claimed without a body, where its route reads none', async () => {
    const { claims, answer } = await asked(async () => {}, false)
    await answer
    expect(claims).toEqual(['none', 'complete'])
  })

  it('is claimed by its body, and its answer stored', async () => {
    const { claims, answer } = await asked(request => readJson(request, 1_000))
    await answer
    expect(claims).toEqual([expect.stringMatching(/^[\da-f]{64}$/), 'complete'])
  })

  it('fails where its route answers without passing the body through the gate: a repetition would run again', async () => {
    const { claims, answer } = await asked(request => request.json())
    await expect(answer).rejects.toThrow('without its body at the gate')
    expect(claims).toEqual([])
  })
})
