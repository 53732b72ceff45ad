import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { FaultScene } from '../support/fault-scene.ts'
import { settled } from '../support/settled.ts'
import { chunk, says, sse, write } from '../support/upstream-behaviour.ts'

const KIBIBYTE = 1024
const MEBIBYTE = 1024 * KIBIBYTE

const COLLECTED = 'garbage collected'

/**
 * Makes a process collect its garbage when it gets SIGUSR2, so that what it holds is what it needs, and say so. More
 * than once: finalizers free what only the next collection can take.
 */
const COLLECTS_GARBAGE = `--import=data:text/javascript,${encodeURIComponent(`
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  import { setTimeout } from 'node:timers/promises'
  setFlagsFromString('--expose-gc')
  process.on('SIGUSR2', async () => {
    for (let times = 0; times < 3; times += 1) {
      runInNewContext('gc')()
      await setTimeout(300)
    }
    console.error('${COLLECTED}')
  })
`)}`

describe('clients', () => {
  let scene: FaultScene

  beforeAll(async () => {
    scene = await FaultScene.start({
      deadlineMs: 20_000,
      env: () => ({ MAX_RESPONSE_BYTES: '1000000000', NODE_OPTIONS: COLLECTS_GARBAGE }),
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
    const collections = () => scene.gateway.everything.split(COLLECTED).length
    const before = collections()
    scene.gateway.signal('SIGUSR2')
    await scene.gateway.until(() => collections() > before || undefined, COLLECTED)
    const bytes =
      (await scene.metric('nodejs_heap_size_used_bytes')) +
      (await scene.metric('nodejs_external_memory_bytes'))
    // The test causes these collections, which block the loop for long.
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
})
