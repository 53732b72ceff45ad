import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { json, post } from '../support/chat.ts'
import { FaultScene, JSON_AND_STREAM } from '../support/fault-scene.ts'
import { settled } from '../support/settled.ts'
import { chunk, hangs, inTurn, neverEnds, refuses, says, sse, write } from '../support/upstream-behaviour.ts'

const KIBIBYTE = 1024
/** Until it has passed: that no call follows has no signal. */
const RETRY_AFTER_S = 1
const MEBIBYTE = 1024 * KIBIBYTE

/** Makes a process collect its garbage when it is sent SIGUSR2, so that what it holds is what it needs. */
const TIDY = `--import=data:text/javascript,${[
  "import{setFlagsFromString}from'node:v8'",
  "import{runInNewContext}from'node:vm'",
  "setFlagsFromString('--expose-gc')",
  "process.on('SIGUSR2',()=>[0,300,600].map(ms=>setTimeout(runInNewContext('gc'),ms)))",
].join(';')}`

describe('clients that do not do their part', () => {
  let scene: FaultScene

  beforeAll(async () => {
    scene = await FaultScene.start({
      deadlineMs: 20_000,
      env: () => ({ MAX_RESPONSE_BYTES: '1000000000', NODE_OPTIONS: TIDY }),
    })
  })
  afterAll(() => scene?.stop())

  /** A streamed answer of which nothing is read until the caller reads it. */
  const unread = async (model: string): Promise<{ client: ClientRequest; response: IncomingMessage }> => {
    const headers = { 'content-type': 'application/json' }
    const client = request(`${scene.gateway.url}/api/chat`, { method: 'POST', headers, agent: false })
    client.on('error', () => {})
    client.end(JSON.stringify({ prompt: 'Hi', model: `openai/${model}`, stream: true, cache: 'no-store' }))
    const response = await new Promise<IncomingMessage>(resolve => client.once('response', resolve))
    response.on('error', () => {}).pause()
    return { client, response }
  }

  /** Streams up to 64 MiB of text to each caller as fast as they are taken, and counts what was. */
  const floods = () => {
    const written = { bytes: 0 }
    const line = sse(chunk({ content: 'x'.repeat(4_000) }))
    const model = scene.upstream.modelThat(async (response, _asked, signal) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let sent = 0; !signal.aborted && sent < 64 * MEBIBYTE; sent += line.length) {
        await write(response, line, signal)
        written.bytes += line.length
      }
    })
    return { model, written }
  }

  /** What the gateway needs, in bytes. */
  const live = async () => {
    await scene.expectFreeLoop()
    scene.gateway.signal('SIGUSR2')
    await sleep(1_500)
    const bytes =
      (await scene.metric('nodejs_heap_size_used_bytes')) +
      (await scene.metric('nodejs_external_memory_bytes'))
    // To collect all of it at once takes long, and is the test's doing.
    await scene.gateway.watchLoop()
    return bytes
  }

  describe.runIf(process.platform === 'linux')('that stop reading', () => {
    it('F12: pause the upstream, and little is held for each of them', async () => {
      const READERS = 40
      const { model, written } = floods()
      // What one reader makes the process load is not held for the next one.
      const first = await unread(model)
      await settled(() => written.bytes)
      const before = await live()
      const readers = await Promise.all(Array.from({ length: READERS }, () => unread(model)))
      await settled(() => written.bytes)
      const held = ((await live()) - before) / READERS
      for (const { client } of [first, ...readers]) client.destroy()
      await scene.expectRest()
      expect(held).toBeLessThan(512 * KIBIBYTE)
      expect(scene.upstream.callsFor(model).every(({ abandonedAt }) => abandonedAt)).toBe(true)
    })

    it('F12: have little of a batch’s results held for each of them, wherever they stop', async () => {
      const READERS = 4
      const client = new BatchClient(scene.gateway.url)
      const model = `openai/${scene.upstream.modelThat(says(Array<string>(20).fill('x'.repeat(50_000))))}`
      const { id } = await client.submit(Array.from({ length: 60 }, (_, at) => ({ prompt: `${at}`, model })))
      await client.ended(id)
      const before = await live()
      const readers = await Promise.all(
        Array.from({ length: READERS }, async () => {
          const { body } = await client.ask(`/jobs/${id}/results`)
          return (body as ReadableStream<Uint8Array>).getReader()
        }),
      )
      for (const untilBytes of [1, 30 * MEBIBYTE]) {
        await Promise.all(
          readers.map(async reader => {
            for (let read = 0; read < untilBytes; ) read += (await reader.read()).value?.length ?? untilBytes
          }),
        )
        expect(((await live()) - before) / READERS).toBeLessThan(16 * MEBIBYTE)
      }
      for (const reader of readers) await reader.cancel()
      await scene.expectRest()
    })

    it('F12: get everything, in order, once they go on', async () => {
      const pieces = Array.from({ length: 2_000 }, (_, index) => `${index} ${'x'.repeat(1_000)}`)
      const { response } = await unread(scene.upstream.modelThat(says(pieces)))
      await settled(() => response.socket.bytesRead)
      let text = ''
      for await (const bytes of response) text += bytes
      const deltas = text.matchAll(/^data: (\{"text".*\})$/gm)
      expect([...deltas].map(([, data = '']) => JSON.parse(data).text).join('')).toBe(pieces.join(''))
      await scene.expectRest()
    })
  })

  describe.each(JSON_AND_STREAM)('that leave: %s', (_, stream) => {
    const leaver = (model: string) => {
      const client = new AbortController()
      const body = { prompt: 'a very private question', model, stream, cache: 'no-store' }
      const headers = { 'x-request-id': `${stream}-${model}` }
      const answer = post(scene.gateway.url, body, { signal: client.signal, headers })
      const left = answer.then(({ text }) => text).catch(() => 'left')
      return { leave: () => client.abort(), left, requestId: headers['x-request-id'] }
    }
    const arrived = (model: string, calls: number) =>
      scene.gateway.until(() => scene.upstream.callsFor(model)[calls - 1], 'the call')

    const health = async () => (await json(await fetch(`${scene.gateway.url}/api/health`))).services.openai

    it('F13: before the answer begins, close the upstream, and are no error', async () => {
      const model = scene.upstream.modelThat(hangs)
      const before = await health()
      const { leave, left, requestId } = leaver(`openai/${model}`)
      await arrived(model, 1)
      leave()
      expect(await left).toBe('left')
      expect(await scene.gateway.lineOf(requestId)).toMatchObject({ outcome: 'aborted', level: 'info' })
      await scene.expectRest()
      expect(await health()).toEqual(before)
    })

    it('F13: while the gateway waits to try again, end the trying', async () => {
      const limited = refuses(429, { headers: { 'retry-after': String(RETRY_AFTER_S) } })
      const model = scene.upstream.modelThat(inTurn(limited, says(['never'])))
      const { leave, left, requestId } = leaver(`openai/${model}`)
      await arrived(model, 1)
      await scene.gateway.until(() => scene.upstream.callsFor(model)[0]?.finishedAt, 'the refusal')
      leave()
      expect(await left).toBe('left')
      expect(await scene.gateway.lineOf(requestId)).toMatchObject({ outcome: 'aborted', attempts: 1 })
      await sleep(RETRY_AFTER_S * 1_000 * 1.3)
      expect(scene.upstream.callsFor(model)).toHaveLength(1)
      await scene.expectRest()
    })
  })

  it('F13: in the middle of a stream, close the upstream, and what came is counted', async () => {
    const model = scene.upstream.modelThat(neverEnds({ paceMs: 10 }))
    const { client, response } = await unread(model)
    response.resume()
    await once(response, 'data')
    client.destroy()
    await scene.expectRest()
    const requestId = String(response.headers['x-request-id'])
    expect(await scene.gateway.lineOf(requestId)).toMatchObject({ outcome: 'aborted', estimated: true })
    expect(scene.upstream.callsFor(model)).toHaveLength(1)
  })
})

describe('a client that leaves the queue', () => {
  it.each(JSON_AND_STREAM)('F13: is never asked for upstream (%s)', async (_, stream) => {
    const scene = await FaultScene.start({ env: () => ({ MAX_CONCURRENCY: '1', ENABLE_CACHING: 'false' }) })
    try {
      const [holding, waiting] = [scene.upstream.modelThat(hangs), scene.upstream.modelThat(says(['never']))]
      const [holder, waiter] = [new AbortController(), new AbortController()]
      const ask = (model: string, { signal }: AbortController) =>
        post(scene.gateway.url, { prompt: 'Hi', model: `openai/${model}`, stream }, { signal }).catch(
          () => 'left',
        )
      const held = ask(holding, holder)
      await scene.gateway.until(() => scene.upstream.callsFor(holding)[0], 'the call')
      const waited = ask(waiting, waiter)
      await expect.poll(() => scene.openRequests()).toBe(2)
      waiter.abort()
      expect(await waited).toBe('left')
      await expect.poll(() => scene.openRequests()).toBe(1)
      holder.abort()
      await held
      await scene.expectRest()
      expect(scene.upstream.callsFor(waiting)).toEqual([])
      // Its place in the queue is free again, and so is the slot.
      expect((await scene.ask(`openai/${waiting}`, stream)).content).toBe('never')
    } finally {
      await scene.stop()
    }
  })
})
