import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { events, type Json, json, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { neverEnds, says } from '../support/upstream-behaviour.ts'

const ANONYMOUS_BYTES = 10_240
const GUEST_BYTES = 262_144
const PIECE = 'grün 🎉 '.repeat(20)
const FEW_PIECES = Array.from({ length: 100 }, () => PIECE)
const FEW = FEW_PIECES.join('')
const CUT = { truncated: true, finishReason: 'length' }
const WHOLE = { truncated: false, finishReason: 'stop' }

describe.each(HOSTS)('the size of an answer under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  let guest: Record<string, string>

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
    })
    const session = await fetch(`${gateway.url}/api/session`, { method: 'POST' })
    guest = { cookie: session.headers.getSetCookie()[0]?.split(';')[0] ?? '' }
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  const ask = (model: string, headers: Record<string, string> = {}, fields: object = {}) =>
    post(gateway.url, { prompt: 'Hi', model: `openai/${model}`, ...fields }, { headers })
  const expectCutAt = (text: string, mostBytes: number) => {
    const bytes = Buffer.byteLength(text)
    expect(bytes).toBeLessThanOrEqual(mostBytes)
    expect(bytes).toBeGreaterThan(mostBytes - 4)
    expect(PIECE.repeat(Math.ceil(mostBytes / Buffer.byteLength(PIECE))).startsWith(text)).toBe(true)
  }

  it.each([
    ['an anonymous caller', ANONYMOUS_BYTES],
    ['a guest', GUEST_BYTES],
  ])('is cut for %s at %i bytes, between characters, with the upstream stopped', async (who, most) => {
    const headers = who === 'a guest' ? guest : {}
    const whole = upstream.modelThat(neverEnds({ piece: PIECE }))
    const answer = await json(await ask(whole, headers))
    expect(answer).toMatchObject(CUT)
    expectCutAt(answer.content, most)
    await gateway.until(() => upstream.callsFor(whole)[0]?.abandonedAt, 'the upstream being left')

    const streamed = upstream.modelThat(neverEnds({ piece: PIECE }))
    const found = await events(await ask(streamed, headers, { stream: true }))
    expect(found.at(-1)).toMatchObject({ event: 'done', data: CUT })
    expectCutAt(textOf(found), most)
    await gateway.until(() => upstream.callsFor(streamed)[0]?.abandonedAt, 'the upstream being left')
  })

  it('is each caller’s own from the cache: a short answer is never the whole one of another', async () => {
    const model = upstream.modelThat(says(FEW_PIECES))
    const anonymous = await json(await ask(model))
    const asGuest = await json(await ask(model, guest))
    const again = [await json(await ask(model)), await json(await ask(model, guest))]
    expectCutAt(anonymous.content, ANONYMOUS_BYTES)
    expect(asGuest).toMatchObject({ content: FEW, cache: 'miss', ...WHOLE })
    expect(again).toMatchObject([
      { content: anonymous.content, cache: 'hit', ...CUT },
      { content: FEW, cache: 'hit', ...WHOLE },
    ])
    expect(upstream.callsFor(model)).toHaveLength(2)
  })

  it('is each caller’s own for calls at the same time: a cut of one answer ends no other', async () => {
    const model = upstream.modelThat(says(FEW_PIECES, { paceMs: 2 }))
    const stream = { stream: true }
    const first = ask(model, {}, stream)
    await gateway.until(() => upstream.callsFor(model).length === 1, 'the first call')
    const answers = [first, ask(model, guest, stream), ask(model, {}, stream), ask(model, guest, stream)]
    const found = await Promise.all(answers.map(async answer => events(await answer)))
    const ends = found.map(list => list.at(-1)?.data as Json)
    expect(ends).toMatchObject([CUT, WHOLE, CUT, WHOLE])
    expect(found.map(textOf)).toEqual([textOf(found[0] ?? []), FEW, textOf(found[0] ?? []), FEW])
    expectCutAt(textOf(found[0] ?? []), ANONYMOUS_BYTES)
    expect(upstream.callsFor(model)).toHaveLength(2)
  })

  it('is the guest’s also in a stream that is resumed', async () => {
    const model = upstream.modelThat(says(FEW_PIECES))
    const resumable = { 'x-gateway-resume': 'true', ...guest }
    const answer = await ask(model, resumable, { stream: true })
    await answer.text()
    const id = answer.headers.get('x-gateway-stream-id')
    const found = await events(await fetch(`${gateway.url}/api/chat/${id}/stream`, { headers: guest }))
    expect(textOf(found) === FEW).toBe(true)
    expect(found.at(-1)?.data).toMatchObject(WHOLE)
  })
})

describe('the size of an answer, set by the environment', () => {
  const contentLength = async (env: Record<string, string>) => {
    const gateway = await GatewayProcess.start('native', { MOCK_LATENCY_MS: '0', ...env })
    try {
      const session = await fetch(`${gateway.url}/api/session`, { method: 'POST' })
      const cookie = session.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      const ask = async (headers: Record<string, string>) =>
        Buffer.byteLength((await json(await post(gateway.url, { prompt: 'Hi' }, { headers }))).content)
      return [await ask({}), await ask({ cookie })]
    } finally {
      await gateway.stop()
    }
  }

  it('is cut where MAX_RESPONSE_BYTES and MAX_RESPONSE_BYTES_GUEST say', async () => {
    expect(await contentLength({ MAX_RESPONSE_BYTES: '10', MAX_RESPONSE_BYTES_GUEST: '20' })).toEqual([
      10, 20,
    ])
  })

  it('is a guest’s own limit where only MAX_RESPONSE_BYTES is set', async () => {
    const [anonymous = 0, guest = 0] = await contentLength({ MAX_RESPONSE_BYTES: '10' })
    expect(anonymous).toBe(10)
    expect(guest).toBeGreaterThan(10)
  })
})
