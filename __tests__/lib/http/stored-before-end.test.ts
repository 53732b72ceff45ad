import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { passthroughResponse } from '#lib/http/dialects/passthrough/reply.ts'
import { resumableResponse } from '#lib/http/dialects/resume.ts'
import type { RouteResponse } from '#lib/http/route-response.ts'
import type { EventGroup } from '#lib/llm/types.ts'
import { ResumableStream } from '#lib/resume/stream.ts'
import { batches, newCall, replyOf, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const clock = new FakeClock()
const FINISH = { type: 'finish', reason: 'stop' } as const
const bytesOf = (...texts: string[]): EventGroup =>
  texts.map(one => ({ type: 'body-bytes', bytes: Buffer.from(one) }))

/** What happens to a body, in order: the pieces as they are sent, and `stored` where it is complete. */
const observed = async (response: RouteResponse): Promise<string[]> => {
  const order: string[] = []
  const kept: Uint8Array[] = []
  void response.observe?.({
    onPiece: piece => void kept.push(piece),
    onComplete: async () => void order.push(`stored ${Buffer.concat(kept)}`),
  })
  try {
    for await (const piece of response.stream ?? []) order.push(Buffer.from(piece).toString())
  } catch {
    order.push('cut')
  }
  return order
}

const passed = async (mediaType: string, events: AsyncIterable<EventGroup>) => {
  const reply = replyOf(events)
  const head = { ...reply.head, mediaType }
  return observed(await passthroughResponse({ ...reply, head }, { clock, abort: () => {} }))
}

const EVENTS = 'text/event-stream'

describe('the last piece of an observed body is sent after the whole has been stored', () => {
  it.each([EVENTS, 'audio/mpeg'])('where a body of %s passes', async type => {
    const end = 'data: [DONE]\n\n'
    expect(await passed(type, batches(bytesOf('data: 1\n\n'), bytesOf(end), [FINISH]))).toEqual([
      'data: 1\n\n',
      `stored data: 1\n\n${end}`,
      end,
    ])
    expect(await passed(type, batches(bytesOf('one'), [...bytesOf(end), FINISH]))).toEqual([
      'one',
      `stored one${end}`,
      end,
    ])
  })

  it('where the answer can be resumed', async () => {
    const call = newCall({ stream: true })
    const options = { owner: 'key 1', clock, graceMs: 0, abort: () => {}, onOver: () => {} }
    const stream = new ResumableStream({ id: 'chat_1', ...options })
    const reply = replyOf(batches(text('Hello'), text('!'), [FINISH]))
    const order = await observed(
      resumableResponse(call, reply, stream, { clock, client: new AbortController().signal }),
    )
    const stored = order.filter(one => one.startsWith('stored '))
    const sent = order.filter(one => !one.startsWith('stored '))
    expect(stored).toEqual([`stored ${sent.join('')}`])
    expect(order.indexOf(stored[0] ?? '')).toBeLessThan(order.length - 1)
    expect(order.at(-1)).toContain('event: done')
  })

  it('or at once, where the answer had ended before it was observed', async () => {
    const options = { owner: 'key 1', clock, graceMs: 0, abort: () => {}, onOver: () => {} }
    const stream = new ResumableStream({ id: 'chat_1', ...options })
    const reply = replyOf(batches(text('Hello'), [FINISH]))
    const client = new AbortController().signal
    const response = resumableResponse(newCall({ stream: true }), reply, stream, { clock, client })
    await response.ended
    const stored: string[] = []
    await response.observe?.({
      onPiece: piece => void stored.push(Buffer.from(piece).toString()),
      onComplete: async () => void stored.push('stored'),
    })
    expect(stored).toEqual([expect.stringContaining('event: done'), 'stored'])
  })

  it('and nothing is stored of one that fails, whose pieces are all sent', async () => {
    const error = new Error('reset')
    async function* broken(): AsyncGenerator<EventGroup> {
      yield bytesOf('one')
      yield bytesOf('two')
      throw error
    }
    expect(await passed('audio/mpeg', broken())).toEqual(['one', 'two', 'cut'])
    expect(
      await passed(EVENTS, batches(bytesOf('one'), [{ type: 'error', error: new GatewayError('TIMEOUT') }])),
    ).toEqual(['one', expect.stringContaining('"timeout"')])
  })
})
