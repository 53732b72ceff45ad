import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FaultScene, JSON_AND_STREAM } from '../support/fault-scene.ts'
import {
  type Behaviour,
  chunk,
  endlessLine,
  misdeclares,
  sends,
  sse,
  streamEnd,
  tinyChunks,
} from '../support/upstream-behaviour.ts'

const MEBIBYTE = 1024 * 1024
const half = sse(chunk({ content: 'Half' }))
const whole = sse(chunk({ content: 'grün 🎉' })) + streamEnd()
/** In pieces of one byte, so that every character and line end is split somewhere. */
const bytewise = (text: string) => {
  const bytes = Buffer.from(text)
  return [...bytes.subarray(0, 400)].map(byte => Uint8Array.of(byte)).concat(bytes.subarray(400))
}
const overTwoLines = (text: string) => text.replace('"choices"', '\ndata: "choices"')

const residentBytes = (pid: number): number =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

describe('an upstream whose stream is malformed', () => {
  let scene: FaultScene

  beforeAll(async () => {
    scene = await FaultScene.start({ deadlineMs: 30_000, env: () => ({ MAX_RETRIES: '0' }) })
  })
  afterAll(() => scene?.stop())
  const ask = (behaviour: Behaviour, stream: boolean) =>
    scene.endures(`openai/${scene.upstream.modelThat(behaviour)}`, stream)

  describe.each(JSON_AND_STREAM)('%s', (_, stream) => {
    it.each<[string, readonly (string | Uint8Array)[]]>([
      ['line ends of CR alone', [whole.replaceAll('\n', '\r')]],
      ['line ends of CR and LF', [whole.replaceAll('\n', '\r\n')]],
      ['a byte order mark', [`\ufeff${whole}`]],
      ['characters split between chunks', bytewise(whole)],
      ['data over two lines', [overTwoLines(whole)]],
      ['no space after the colon', [whole.replaceAll('data: ', 'data:')]],
      ['events of unknown names', [`event: surprise\nid: 7\nretry: 9\n${whole}`]],
      ['10,000 comments', [`${': still here\n\n'.repeat(10_000)}`, whole]],
      ['more after the end mark', [whole, sse('more'), ': bye\n\n']],
    ])('F9: is read all the same: %s', async (_name, chunks) => {
      expect(await ask(sends(chunks), stream)).toMatchObject({ status: 200, content: 'grün 🎉' })
    })
  })

  it.each<[string, string]>([
    ['a line of broken JSON', 'data: {"must not leak\n\n'],
    ['an error in the stream', sse({ error: { message: 'must not leak', code: 'server_error' } })],
    ['a JSON error after the events', '{"error":{"message":"must not leak"}}'],
    ['an array', sse([1])],
    ['null', sse(null)],
    ['bytes that are no UTF-8', 'data: \xff\xfe\n\n'],
  ])('F9: fails, and its words are not repeated: %s', async (_, bad) => {
    const behaviour = sends([half, Buffer.from(bad, 'latin1')])
    const streamed = await ask(behaviour, true)
    expect(streamed).toMatchObject({ status: 200, content: 'Half', error: { code: 'PROVIDER_ERROR' } })
    expect(await ask(behaviour, false)).toMatchObject({ status: 502, error: { code: 'PROVIDER_ERROR' } })
    expect(await ask(sends([bad]), true)).toMatchObject({ status: 502, error: { code: 'PROVIDER_ERROR' } })
  })

  describe.runIf(process.platform === 'linux').each(JSON_AND_STREAM)('%s', (_, stream) => {
    it.each(['x', 'ж'])('F10: is cut off at a line of 64 MiB of %s, which is not kept', async character => {
      await ask(endlessLine(64, character), stream)
      const before = residentBytes(scene.gateway.pid)
      const told = await ask(endlessLine(64, character), stream)
      expect(told).toMatchObject({ status: 502, error: { code: 'PROVIDER_ERROR' } })
      expect(residentBytes(scene.gateway.pid) - before).toBeLessThan(32 * MEBIBYTE)
    })

    it('F10: may send a million tiny chunks, of which nothing is kept', async () => {
      // The heap grows to the size that so many short-lived objects need, once.
      await ask(tinyChunks(200_000, 'First'), stream)
      const before = residentBytes(scene.gateway.pid)
      const told = await ask(tinyChunks(1_000_000, 'At last'), stream)
      expect(told).toMatchObject({ status: 200, content: 'At last' })
      expect(residentBytes(scene.gateway.pid) - before).toBeLessThan(64 * MEBIBYTE)
    })

    it.each([
      ['a bomb', gzipSync(Buffer.alloc(64 * MEBIBYTE, ' '))],
      ['a bomb that begins like an answer', gzipSync(`data: ${'x'.repeat(64 * MEBIBYTE)}`)],
      ['a bomb of JSON', gzipSync(`{"id":"${'x'.repeat(64 * MEBIBYTE)}"}`)],
    ])('F11: may be gzipped, but unpacks to no more than 32 MiB: %s', async (_name, bomb) => {
      const type = stream ? 'text/event-stream' : 'application/json'
      const model = scene.upstream.modelThat(sends([bomb], { type, headers: { 'content-encoding': 'gzip' } }))
      const before = residentBytes(scene.gateway.pid)
      const told = await scene.endures(`openai/${model}`, stream)
      expect(told).toMatchObject({ status: 502, error: { code: 'PROVIDER_ERROR' } })
      expect(residentBytes(scene.gateway.pid) - before).toBeLessThan(32 * MEBIBYTE)
    })

    it.each([
      ['a thousand encodings on top of each other', Array(1_000).fill('gzip').join(',')],
      ['two of them', 'gzip, gzip'],
      ['one that cannot be read', 'compress'],
    ])('F11: is refused once, and not asked again, with %s', async (_name, encoding) => {
      const told = await ask(sends(['x'], { headers: { 'content-encoding': encoding } }), stream)
      expect(told).toMatchObject({ status: 502, error: { code: 'PROVIDER_ERROR', retryable: false } })
    })

    it.each([
      ['keeps', ''],
      ['closes', 'connection: close'],
    ])(
      'F11: is refused once, and not asked again, when it is shorter than it declares and %s its connection',
      async (_name, header) => {
        const answer = await ask(misdeclares(100, header), stream)
        // A stream that has its end mark is complete, whatever was to come after it.
        if (stream) expect(answer).toMatchObject({ status: 200, content: 'Hello' })
        else
          expect(answer).toMatchObject({ status: 502, error: { code: 'PROVIDER_ERROR', retryable: false } })
      },
    )

    it.each([
      ['keeps', ''],
      ['closes', 'connection: close'],
    ])(
      'F11: is refused once, and not asked again, when it is longer than it declares and %s its connection',
      async (_name, header) => {
        const answer = await ask(misdeclares(stream ? -200 : -20, header), stream)
        expect(answer.error).toMatchObject({ code: 'PROVIDER_ERROR', retryable: false })
        expect(answer.error.message).toContain('Content-Length')
      },
    )

    it('F11: is a passing failure when the connection breaks before the declared length', async () => {
      const headers = { 'content-length': '1000' }
      const type = stream ? 'text/event-stream' : 'application/json'
      const answer = await ask(sends([stream ? half : '{'], { type, headers, ending: 'reset' }), stream)
      expect(answer.error).toMatchObject({ code: 'NETWORK', retryable: true })
    })
  })
})
