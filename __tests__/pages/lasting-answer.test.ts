import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ReconnectBackoff } from '../../app/(console)/gateway/reconnect-backoff.ts'
import { resumableStream, resumedStream } from '../../app/(console)/gateway/resumable-stream.ts'
import { expenseOf, stopAnswer } from '../../app/(console)/gateway/stop.ts'
import type { ChatEvent } from '../../app/(console)/gateway/wire.ts'

const KEPT = { 'x-gateway-stream-id': 'chat_1', 'x-request-id': 'r1' }
const PIECES = ['Hé', 'llo ', '🎉', '\n\n', 'end']
const FRAMES = [
  'event: start\ndata: {"id":"chat_1"}\n\n',
  ...PIECES.map(text => `event: delta\ndata: ${JSON.stringify({ text })}\n\n`),
  'event: done\ndata: {"model":"m"}\n\n',
].map((frame, index) => `id: ${index + 1}\n${frame}`)

/** A body that gives so many bytes of a text, in two reads, and breaks. */
const cutAfter = (bytes: number, text: string): ReadableStream<Uint8Array> => {
  const given = Buffer.from(text).subarray(0, bytes)
  const half = given.length >> 1
  const chunks = [given.subarray(0, half), given.subarray(half)]
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift()
      if (chunk) controller.enqueue(new Uint8Array(chunk))
      else if (bytes >= Buffer.byteLength(text)) controller.close()
      else controller.error(new TypeError('network error'))
    },
  })
}
const first = (bytes: number, headers: Record<string, string> = KEPT) =>
  new Response(cutAfter(bytes, FRAMES.join('')), { headers })
const patient = (tries = 3) => new ReconnectBackoff(() => 0, Array(tries).fill(0))

const eventsOf = async (response: Response, signal = new AbortController().signal, tries?: number) => {
  const events: ChatEvent[] = []
  for await (const batch of resumableStream(response, signal, patient(tries))) events.push(...batch)
  return events
}
const textOf = (events: ChatEvent[]) =>
  events.map(event => (event.type === 'delta' ? event.text : '')).join('')

describe('an answer that lasts', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  const answerWith = (answer: (path: string, init: RequestInit) => Response) => {
    const asked = vi.fn(async (path: string, init: RequestInit = {}) => answer(path, init))
    vi.stubGlobal('fetch', asked)
    return asked
  }

  it('loses no character and doubles none, wherever and however often its connection is cut', async () => {
    const length = Buffer.byteLength(FRAMES.join(''))
    await fc.assert(
      fc.asyncProperty(fc.nat(length), fc.array(fc.nat(length), { maxLength: 3 }), async (cut, cuts) => {
        const left = [...cuts]
        answerWith((_, { headers }) => {
          const seen = Number(new Headers(headers).get('last-event-id') ?? 0)
          return new Response(cutAfter(left.shift() ?? length, FRAMES.slice(seen).join('')))
        })
        const events = await eventsOf(first(cut), undefined, 5)
        expect(textOf(events)).toBe(PIECES.join(''))
        expect(events.filter(({ type }) => type === 'done')).toHaveLength(1)
        expect(events.at(-1)?.type).toBe('done')
      }),
    )
  })

  it('comes back to its stream with the last event seen, and says so', async () => {
    const asked = answerWith(() => new Response(FRAMES.slice(2).join('')))
    const events = await eventsOf(first(Buffer.byteLength(FRAMES.slice(0, 2).join('')) + 9))
    expect(asked).toHaveBeenCalledExactlyOnceWith(
      '/api/chat/chat_1/stream',
      expect.objectContaining({ headers: { accept: 'text/event-stream', 'last-event-id': '2' } }),
    )
    expect(events.map(({ type }) => type).slice(1, 5)).toEqual(['delta', 'lost', 'back', 'delta'])
  })

  it.each([
    ['busy', () => new Response(null, { status: 503 })],
    [
      'out of reach',
      () => {
        throw new TypeError('network error')
      },
    ],
  ])('tries again while the gateway is %s', async (_, fail) => {
    let failures = 2
    answerWith(() => (failures-- > 0 ? fail() : new Response(FRAMES.slice(1).join(''))))
    expect((await eventsOf(first(Buffer.byteLength(FRAMES[0] ?? '')))).at(-1)?.type).toBe('done')
  })

  it('tries again where a network swallows its request', async () => {
    vi.useFakeTimers()
    const asked = vi.fn((_: string, { signal }: RequestInit) =>
      asked.mock.calls.length > 1
        ? Promise.resolve(new Response(FRAMES.join('')))
        : new Promise<Response>((_, reject) => signal?.addEventListener('abort', reject)),
    )
    vi.stubGlobal('fetch', asked)
    const events = eventsOf(first(0))
    await vi.advanceTimersByTimeAsync(15_000)
    expect(textOf(await events)).toBe(PIECES.join(''))
    expect(asked).toHaveBeenCalledTimes(2)
  })

  it.each([
    ['has forgotten it', 404, 1],
    ['has nothing more of it', 204, 1],
    ['stays out of reach', 503, 3],
  ])('is kept as far as it came where the gateway %s', async (_, status, tries) => {
    const asked = answerWith(() => new Response(null, { status }))
    const events = await eventsOf(first(Buffer.byteLength(FRAMES.slice(0, 4).join(''))))
    expect(textOf(events)).toBe('Héllo 🎉')
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      failure: { code: 'STREAM_CUT', requestId: 'r1', retryable: true },
    })
    expect(asked).toHaveBeenCalledTimes(tries)
  })

  it('does not come back for an answer that the gateway does not keep', async () => {
    const asked = answerWith(() => new Response(null))
    const events = await eventsOf(first(80, { 'x-gateway-resume': 'refused' }))
    expect(events.at(-1)).toMatchObject({ failure: { code: 'STREAM_CUT' } })
    expect(asked).not.toHaveBeenCalled()
  })

  it('does not reconnect after an error of the gateway', async () => {
    const asked = answerWith(() => new Response(null))
    const error = { code: 'SHUTTING_DOWN', message: 'Restarting.', retryable: true }
    const events = await eventsOf(
      new Response(`id: 1\nevent: error\ndata: ${JSON.stringify({ error })}\n\n`, { headers: KEPT }),
    )
    expect(events).toEqual([{ type: 'error', failure: error }])
    expect(asked).not.toHaveBeenCalled()
  })

  it('calls it cut short where the gateway had given it up meanwhile', async () => {
    const error = { code: 'CLIENT_GONE', message: 'You left.', retryable: false, requestId: 'r1' }
    answerWith(() => new Response(`id: 2\nevent: error\ndata: ${JSON.stringify({ error })}\n\n`))
    expect((await eventsOf(first(60))).at(-1)).toMatchObject({
      failure: { code: 'STREAM_CUT', retryable: true, requestId: 'r1' },
    })
  })

  it('does not reconnect once it was stopped', async () => {
    const controller = new AbortController()
    const asked = answerWith(() => new Response(null))
    for await (const [event] of resumableStream(first(60), controller.signal)) {
      if (event?.type === 'lost') controller.abort()
      else expect(event?.type).not.toBe('error')
    }
    expect(asked).not.toHaveBeenCalled()
  })
})

describe('an answer that is continued after a reload', () => {
  afterEach(() => vi.unstubAllGlobals())

  const rest = async (answer: () => Response) => {
    const asked = vi.fn(async (_path: string, _init: RequestInit) => answer())
    vi.stubGlobal('fetch', asked)
    const events: ChatEvent[] = []
    const positions: string[] = []
    const position = { streamId: 'chat_1', lastEventId: '3', requestId: 'r1' }
    const signal = new AbortController().signal
    for await (const batch of resumedStream(position, signal, patient(), at =>
      positions.push(at.lastEventId),
    ))
      events.push(...batch)
    return { asked, events, positions }
  }

  it('goes on after the last event that was shown', async () => {
    const { asked, events, positions } = await rest(() => new Response(FRAMES.slice(3).join('')))
    expect(new Headers(asked.mock.lastCall?.[1].headers).get('last-event-id')).toBe('3')
    expect(textOf(events)).toBe(PIECES.slice(2).join(''))
    expect(events.at(-1)?.type).toBe('done')
    expect(positions.at(-1)).toBe('7')
  })

  it('is cut where the gateway no longer has it, without another attempt', async () => {
    const { asked, events } = await rest(() => new Response(null, { status: 404 }))
    expect(events).toEqual([
      { type: 'error', failure: expect.objectContaining({ code: 'STREAM_CUT', requestId: 'r1' }) },
    ])
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it('tries again while the gateway is out of reach', async () => {
    let failures = 2
    const { events } = await rest(() =>
      failures-- > 0 ? new Response(null, { status: 503 }) : new Response(FRAMES.slice(3).join('')),
    )
    expect(events.map(({ type }) => type).slice(0, 2)).toEqual(['lost', 'back'])
    expect(events.at(-1)?.type).toBe('done')
  })
})

describe('stopping an answer', () => {
  afterEach(() => vi.unstubAllGlobals())

  it.each([
    ['its text', () => Response.json({ id: 'chat_1', stopped: true, content: 'Half' }), 'Half'],
    ['nothing where it is not found', () => Response.json({ content: 'no' }, { status: 404 }), undefined],
    ['nothing where the reply makes no sense', () => new Response('<h1>'), undefined],
    [
      'nothing where nobody replies',
      () => {
        throw new TypeError('network error')
      },
      undefined,
    ],
  ])('resolves with %s', async (_, reply, expected) => {
    vi.stubGlobal('fetch', async () => reply())
    expect(await stopAnswer('chat_1')).toBe(expected)
  })
})

describe('what a stopped answer has cost', () => {
  afterEach(() => vi.unstubAllGlobals())
  const usage = { inputTokens: 3, outputTokens: 2, estimated: true }

  it.each([
    [
      'said at the end of its stream',
      `event: done\ndata: ${JSON.stringify({ usage, costUsd: 0.1 })}\n\n`,
      0.1,
    ],
    [
      'said with its failure',
      `event: error\ndata: ${JSON.stringify({ error: { code: 'C', message: 'M' }, usage, costUsd: 0.2 })}\n\n`,
      0.2,
    ],
    ['unknown where its stream is gone', undefined, undefined],
  ])('is %s', async (_, frames, costUsd) => {
    vi.stubGlobal('fetch', async () => new Response(frames ?? null, { status: frames ? 200 : 404 }))
    expect((await expenseOf({ streamId: 'chat_1', lastEventId: '2' }))?.costUsd).toBe(costUsd)
  })
})
