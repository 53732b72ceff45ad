import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { FaultScene, JSON_AND_STREAM } from '../support/fault-scene.ts'
import { hangs, inTurn, neverEnds, refuses, says } from '../support/upstream-behaviour.ts'

/** Longer than it takes to see the refusal and leave. Real time: that no call follows has no signal. */
const RETRY_AFTER_MS = 1_000

describe('clients that leave', () => {
  let scene: FaultScene

  beforeAll(async () => {
    scene = await FaultScene.start({ deadlineMs: 20_000 })
  })
  afterAll(() => scene?.stop())

  describe.each(JSON_AND_STREAM)('%s', (_, stream) => {
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

    it('F13: before the answer begins, close the call upstream, and count as no error', async () => {
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

    it('F13: while the gateway waits to try again, end its retries', async () => {
      const limited = refuses(429, { headers: { 'retry-after-ms': String(RETRY_AFTER_MS) } })
      const model = scene.upstream.modelThat(inTurn(limited, says(['never'])))
      const { leave, left, requestId } = leaver(`openai/${model}`)
      await arrived(model, 1)
      await scene.gateway.until(() => scene.upstream.callsFor(model)[0]?.finishedAt, 'the refusal')
      leave()
      expect(await left).toBe('left')
      expect(await scene.gateway.lineOf(requestId)).toMatchObject({ outcome: 'aborted', attempts: 1 })
      await sleep(RETRY_AFTER_MS * 1.3)
      expect(scene.upstream.callsFor(model)).toHaveLength(1)
      await scene.expectRest()
    })
  })

  it('F13: in the middle of a stream, close the call upstream, and the tokens that came are counted', async () => {
    const model = scene.upstream.modelThat(neverEnds({ paceMs: 10 }))
    const client = new AbortController()
    const body = { prompt: 'Hi', model: `openai/${model}`, stream: true, cache: 'no-store' }
    const answer = await post(scene.gateway.url, body, { signal: client.signal })
    await answer.body?.getReader().read()
    client.abort()
    await scene.expectRest()
    const requestId = answer.headers.get('x-request-id') ?? ''
    expect(await scene.gateway.lineOf(requestId)).toMatchObject({ outcome: 'aborted', estimated: true })
    expect(scene.upstream.callsFor(model)).toHaveLength(1)
  })
})

describe('a client that leaves the queue', () => {
  it.each(JSON_AND_STREAM)('F13: causes no call upstream (%s)', async (_, stream) => {
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
      // Its position in the queue is free again, and so is the slot.
      expect((await scene.ask(`openai/${waiting}`, stream)).content).toBe('never')
    } finally {
      await scene.stop()
    }
  })
})
