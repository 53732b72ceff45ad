import { afterEach, describe, expect, it, vi } from 'vitest'
import { ask } from '../../app/(console)/gateway/chat.ts'
import { failureOf } from '../../app/(console)/gateway/failure.ts'

describe('asking the gateway', () => {
  afterEach(() => vi.unstubAllGlobals())

  const replyWith = (body: BodyInit, init?: ResponseInit) =>
    vi.stubGlobal('fetch', async () => new Response(body, init))

  const eventsOf = async (signal = new AbortController().signal) => {
    const events = []
    for await (const batch of ask({ messages: [] }, signal)) events.push(...batch)
    return events
  }

  it('ends with what the gateway ended with', async () => {
    replyWith('event: delta\ndata: {"text":"Hi"}\n\nevent: done\ndata: {"model":"m"}\n\n')
    expect(await eventsOf()).toEqual([
      { type: 'delta', text: 'Hi' },
      { type: 'done', facts: { model: 'm' } },
    ])
  })

  it('ends with an error where the stream ends without a word', async () => {
    replyWith('event: delta\ndata: {"text":"Hi"}\n\n', { headers: { 'x-request-id': 'r1' } })
    expect((await eventsOf()).at(-1)).toMatchObject({
      type: 'error',
      failure: { code: 'STREAM_CUT', requestId: 'r1', retryable: true },
    })
  })

  it('passes over events it does not know and data it cannot read', async () => {
    replyWith('event: novelty\ndata: {}\n\nevent: delta\ndata: {broken\n\nevent: done\ndata: {}\n\n')
    expect(await eventsOf()).toEqual([{ type: 'done', facts: {} }])
  })

  it('reports nothing more once it was stopped', async () => {
    const controller = new AbortController()
    vi.stubGlobal('fetch', async () => Promise.reject(controller.signal.reason))
    controller.abort()
    expect(await eventsOf(controller.signal)).toEqual([])
  })
})

describe('the failure in a reply', () => {
  it('is what the envelope says', async () => {
    const error = {
      code: 'RATE_LIMITED',
      message: 'Wait.',
      retryable: true,
      requestId: 'r',
      retryAfterSeconds: 7,
    }
    const failure = await failureOf(Response.json({ error }, { status: 429 }))
    expect(failure).toEqual({ ...error, status: 429, attempts: 0 })
  })

  it('takes the time to wait from Retry-After where the body does not tell it', async () => {
    const headers = { 'retry-after': '12' }
    const failure = await failureOf(new Response('<h1>Slow down</h1>', { status: 429, headers }))
    expect(failure).toMatchObject({ retryAfterSeconds: 12, retryable: true, code: 'UNEXPLAINED' })
  })
})
