import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { post } from '../support/chat.ts'
import { GatewayProcess, HOSTS, type HostName } from '../support/gateway.ts'
import { leastDisturbed } from '../support/loop-delays.ts'
import type { Load, Order } from '../support/stream-load.ts'

const GIBIBYTE_IN_KIBIBYTES = 1024 * 1024
const WARM_UP_ROUNDS = 3
const WARM_UP_STREAMS = 200
const STEADY_MS = 5_000
/** Measurements of 20 seconds each: whatever else a machine does has many chances to lie within one. */
const MOST_MEASUREMENTS = 5

vi.setConfig({ testTimeout: 300_000 })

const mostResidentKibibytes = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

/** A gateway, and many streams through it that another process holds both ends of. */
class Streams {
  readonly gateway: GatewayProcess
  readonly #child: ChildProcess
  load: Load = { opened: 0, pieces: 0, errors: [] }

  private constructor(gateway: GatewayProcess, child: ChildProcess) {
    this.gateway = gateway
    this.#child = child
    child.on('message', (load: Load) => {
      this.load = load
    })
  }

  static async start(host: HostName, most: number): Promise<Streams> {
    const child = fork(join(import.meta.dirname, '../support/stream-load.ts'), { execArgv: [] })
    const [{ port }] = await once(child, 'message')
    const gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
      ENABLE_RATE_LIMITING: 'false',
      MAX_CONCURRENCY: String(most),
      LOG_LEVEL: 'warn',
      // The promise is that none is lost, also on a machine that is slow to start so many.
      REQUEST_TIMEOUT_MS: '120000',
    })
    return new Streams(gateway, child)
  }

  /** Begins streams, reads a little of them, and leaves them. */
  async warmUp(): Promise<void> {
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1)
      await Promise.all(Array.from({ length: WARM_UP_STREAMS }, () => this.#beginOne()))
    await this.gateway.watchLoop()
  }

  async #beginOne(): Promise<void> {
    const client = new AbortController()
    const body = { prompt: 'Hi', model: 'openai/any', stream: true, cache: 'no-store' }
    const { body: stream } = await post(this.gateway.url, body, { signal: client.signal })
    await stream?.getReader().read()
    client.abort()
  }

  /** Opens so many in the same moment. */
  async open(count: number, same?: true): Promise<void> {
    const order: Order = { open: count, url: this.gateway.url, everyMs: 0, ...(same && { same }) }
    this.#child.send(order)
    await expect.poll(() => this.load.opened, { timeout: 90_000 }).toBe(count)
  }

  /** Open requests as the gateway counts them, the asking one too. */
  async openRequests(): Promise<number> {
    const text = await (await fetch(`${this.gateway.url}/metrics`)).text()
    return Number(/^parley_open_requests (\d+)/m.exec(text)?.[1])
  }

  /** Pieces that the clients were given in five seconds. */
  async pieces(): Promise<number> {
    const before = this.load.pieces
    await sleep(STEADY_MS)
    return this.load.pieces - before
  }

  /** Ends all clients in the same moment. */
  leave(): void {
    this.#child.send('leave' satisfies Order)
  }

  async stop(): Promise<void> {
    await this.gateway.stop()
    this.#child.kill('SIGKILL')
  }
}

/** Runs `measure` with a warm gateway. */
const withStreams = (
  host: HostName,
  most: number,
  measure: (streams: Streams) => Promise<void>,
): Promise<void> =>
  leastDisturbed(async () => {
    const streams = await Streams.start(host, most)
    try {
      await streams.warmUp()
      await measure(streams)
    } finally {
      await streams.stop()
    }
  }, MOST_MEASUREMENTS)

/** Every stream goes on, none has failed. */
const expectSteady = async (streams: Streams, count: number): Promise<void> => {
  expect(await streams.pieces()).toBeGreaterThanOrEqual(count * 4)
  expect(streams.load.errors).toEqual([])
}

const expectBelow = async ({ gateway }: Streams, mostMs: number): Promise<void> => {
  const delays = await gateway.loopDelays()
  delays.expectBelow(mostMs)
}

describe.runIf(process.platform === 'linux').each(HOSTS)('many streams at once (%s)', host => {
  it('2,000 of one piece a second never keep the event loop for more than 50 ms, from the first on; when all leave at once, under Next 100 ms', () =>
    withStreams(host, 2_500, async streams => {
      await streams.open(2_000)
      await expectSteady(streams, 2_000)
      await expectBelow(streams, 50)
      await streams.gateway.watchLoop()
      streams.leave()
      await expect.poll(() => streams.openRequests(), { timeout: 30_000 }).toBe(1)
      await expectBelow(streams, host === 'native' ? 50 : 100)
    }))

  it('2,000 that read the same answer along never keep the event loop for more than 50 ms', () =>
    withStreams(host, 2_500, async streams => {
      await streams.open(2_000, true)
      await expectSteady(streams, 2_000)
      await expectBelow(streams, 50)
    }))

  // Next lets 511 connections wait: beyond them the system tries again after ever longer times.
  it.runIf(host === 'native')(
    '5,000 are opened with 0 errors, no gap of the event loop above 250 ms, and at most 1 GB of memory',
    () =>
      withStreams(host, 6_000, async streams => {
        await streams.open(5_000)
        await expectBelow(streams, 250)
        await streams.pieces()
        expect(streams.load.errors).toEqual([])
        expect(mostResidentKibibytes(streams.gateway.pid)).toBeLessThan(GIBIBYTE_IN_KIBIBYTES)
      }),
  )
})
