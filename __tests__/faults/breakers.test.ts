import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post } from '../support/chat.ts'
import { FaultScene, JSON_AND_STREAM } from '../support/fault-scene.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { hangs, refuses, says } from '../support/upstream-behaviour.ts'

const OPEN_MS = 1_000
/** The longest cooldown of a circuit that opens for the first time, jitter included. Real time: of another process. */
const UNTIL_PROBE_MS = OPEN_MS * 1.3

const startScene = (deadlineMs: number) =>
  FaultScene.start({
    deadlineMs,
    env: () => ({
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '5',
      BREAKER_OPEN_MS: String(OPEN_MS),
      ENABLE_CACHING: 'false',
    }),
  })

describe.each(JSON_AND_STREAM)('a circuit, asked for %s', (_, stream) => {
  let scene: FaultScene
  /** Its probe is held until all others are answered, however slow the machine is. */
  let patient: FaultScene

  beforeAll(async () => {
    scene = await startScene(2_000)
    patient = await startScene(60_000)
  })
  afterAll(() => Promise.all([scene?.stop(), patient?.stop()]))

  /** A model whose circuit has just been opened by failures. */
  const opened = async (at = scene) => {
    const model = at.upstream.modelThat(refuses(500))
    for (let failures = 0; failures < 5; failures += 1) await at.ask(`openai/${model}`, stream)
    expect(await at.ask(`openai/${model}`, stream)).toMatchObject({
      status: 503,
      error: { code: 'MODEL_UNAVAILABLE' },
    })
    expect(at.upstream.callsFor(model)).toHaveLength(5)
    return model
  }

  it('F51: opens for a dead model, and sends exactly one of 200 callers to look when it is time', async () => {
    const model = await opened(patient)
    const well = Promise.withResolvers<void>()
    patient.upstream.forModel(model, async (...asked) => {
      await well.promise
      return says(['Well again'])(...asked)
    })
    await sleep(UNTIL_PROBE_MS)
    const told: number[] = []
    const asking = Array.from({ length: 200 }, async () => {
      told.push((await patient.ask(`openai/${model}`, stream)).status)
    })
    await expect.poll(() => told, { timeout: 30_000 }).toHaveLength(199)
    expect(patient.upstream.callsFor(model)).toHaveLength(6)
    well.resolve()
    await Promise.all(asking)
    expect(told.toSorted()).toEqual([200, ...Array(199).fill(503)])
    expect((await patient.endures(`openai/${model}`, stream)).content).toBe('Well again')
  })

  it('F52: opens again when the probe hangs, after the probe’s own time', async () => {
    const model = await opened()
    scene.upstream.forModel(model, hangs)
    await sleep(UNTIL_PROBE_MS)
    expect(await scene.endures(`openai/${model}`, stream)).toMatchObject({ status: 504 })
    expect(await scene.endures(`openai/${model}`, stream)).toMatchObject({ status: 503 })
    expect(scene.upstream.callsFor(model)).toHaveLength(6)
  })

  it('F52: gives the probe to the next caller when its client leaves', async () => {
    const model = await opened()
    scene.upstream.forModel(model, hangs)
    await sleep(UNTIL_PROBE_MS)
    const client = new AbortController()
    const body = { prompt: 'Hi', model: `openai/${model}`, stream }
    const left = post(scene.gateway.url, body, { signal: client.signal }).catch(() => 'left')
    await scene.gateway.until(() => scene.upstream.callsFor(model)[5], 'the probe')
    client.abort()
    expect(await left).toBe('left')
    await scene.expectRest()
    scene.upstream.forModel(model, says(['Well again']))
    expect((await scene.endures(`openai/${model}`, stream)).content).toBe('Well again')
  })

  it('F53: stays closed while one call of twenty fails at random', async () => {
    const random = seededRandom(12_345)
    const model = scene.upstream.modelThat((...call) =>
      random() < 0.05 ? refuses(500)(...call) : says(['Well'])(...call),
    )
    const told: number[] = []
    // Failures end sooner than answers: in larger waves five of them could come in a row.
    for (let wave = 0; wave < 100; wave += 1) {
      const asked = Array.from({ length: 10 }, () => scene.ask(`openai/${model}`, stream))
      told.push(...(await Promise.all(asked)).map(({ status }) => status))
    }
    expect(scene.upstream.callsFor(model)).toHaveLength(1_000)
    expect([...new Set(told)].toSorted()).toEqual([200, 502])
    expect(told.filter(status => status === 502).length).toBeLessThan(100)
  })

  it('F53: of one model leaves the others of its provider in use', async () => {
    const dead = await opened()
    const alive = scene.upstream.modelThat(says(['Alive']))
    expect(await scene.endures(`openai/${alive}`, stream)).toMatchObject({ status: 200, content: 'Alive' })
    expect((await scene.ask(`openai/${dead}`, stream)).status).toBe(503)
  })
})

describe('many who ask the same', () => {
  it.each(JSON_AND_STREAM)(
    'F54: are answered by one call, also when the first of them leaves (%s)',
    async (_, stream) => {
      const scene = await FaultScene.start({ deadlineMs: 20_000 })
      try {
        const ready = Promise.withResolvers<void>()
        const model = scene.upstream.modelThat(async (...call) => {
          await ready.promise
          return says(['One', ' for', ' all'])(...call)
        })
        const leader = new AbortController()
        const body = { prompt: 'the same question', model: `openai/${model}`, stream }
        const led = post(scene.gateway.url, body, { signal: leader.signal }).catch(() => 'left')
        await scene.gateway.until(() => scene.upstream.callsFor(model)[0], 'the call')
        const same = { prompt: 'the same question', cache: 'default' }
        const asking = Array.from({ length: 300 }, () => scene.ask(`openai/${model}`, stream, same))
        await expect.poll(() => scene.openRequests(), { timeout: 30_000 }).toBe(301)
        leader.abort()
        expect(await led).toBe('left')
        ready.resolve()
        const told = await Promise.all(asking)
        expect(new Set(told.map(({ status, content }) => `${status} ${content}`))).toEqual(
          new Set(['200 One for all']),
        )
        expect(scene.upstream.callsFor(model)).toHaveLength(1)
        await scene.expectRest()
      } finally {
        await scene.stop()
      }
    },
  )
})
