import type { Clock } from '../../clock.ts'
import type { Circuit, CircuitState, Permit } from '../../resilience/breaker/circuit.ts'
import type { RedisClient, Script } from './client.ts'
import { isReply, RedisFault, reasonOf } from './fault.ts'

export type RedisResult = 'ok' | 'failed' | 'late' | 'spared'

/** Called for every operation. `spared`: not sent, because Redis has been failing. */
export type RedisListener = (operation: string, result: RedisResult, tookMs: number) => void

export type GuardOptions = Readonly<{
  client: RedisClient
  circuit: Circuit
  clock: Clock
  /** How long one operation may take. */
  deadlineMs: number
  /** The deadline from a missed one until the next reply, so that a request with two operations waits only once. */
  shortDeadlineMs: number
  listener: RedisListener
}>

/** The last known state of Redis. */
export type RedisStatus = Readonly<{
  circuit: CircuitState
  latencyMs: number | undefined
  /** Operations whose last attempt failed, with the reason, without a successful probe since. */
  failing: ReadonlyMap<string, string>
}>

const SPARED = new RedisFault('Redis has been failing and is not called for now')

/**
 * Limits the cost of a failing Redis: no operation takes longer than its deadline, and after enough failures none is
 * sent until a `probe` has succeeded. Requests never probe. Rejects with a RedisFault alone.
 */
export class GuardedRedis implements RedisClient {
  readonly #options: GuardOptions
  readonly #failing = new Map<string, string>()
  #latencyMs: number | undefined
  #wasLate = false

  constructor(options: GuardOptions) {
    this.#options = options
  }

  get status(): RedisStatus {
    return { circuit: this.#options.circuit.state, latencyMs: this.#latencyMs, failing: this.#failing }
  }

  /** Undefined where the value under the key is not text: then it is deleted. */
  async get(key: string): Promise<string | undefined> {
    const { client } = this.#options
    return await this.#ask('get', () =>
      client.get(key).catch(async (error: unknown) => {
        if (!isReply(error, 'WRONGTYPE')) throw error
        await client.delete(key)
        return undefined
      }),
    )
  }

  set(key: string, value: string, ttlMs: number): Promise<void> {
    return this.#ask('set', () => this.#options.client.set(key, value, ttlMs))
  }

  delete(key: string): Promise<void> {
    return this.#ask('delete', () => this.#options.client.delete(key))
  }

  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#ask(script.name, () => this.#options.client.run(script, keys, args))
  }

  /**
   * Runs a script as `run` does; the only way to detect that a failing Redis has recovered. The script should write:
   * if that succeeds, other failed operations are assumed to work again.
   */
  async probe(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const permit = this.#options.circuit.enter()
    if (typeof permit === 'number') throw SPARED
    this.#wasLate = false
    const reply = await this.#send(script.name, permit, () => this.#options.client.run(script, keys, args))
    this.#failing.clear()
    return reply
  }

  opened(): Promise<void> {
    return this.#options.client.opened()
  }

  close(): void {
    this.#options.client.close()
  }

  async #ask<T>(operation: string, ask: () => Promise<T>): Promise<T> {
    const { circuit, listener } = this.#options
    const permit = circuit.state.name === 'closed' ? circuit.enter() : 0
    if (typeof permit !== 'number') return await this.#send(operation, permit, ask)
    listener(operation, 'spared', 0)
    throw SPARED
  }

  async #send<T>(operation: string, permit: Permit, ask: () => Promise<T>): Promise<T> {
    const { clock, listener } = this.#options
    const startedAt = clock.now()
    try {
      const reply = await this.#inTime(ask())
      const tookMs = clock.now() - startedAt
      this.#latencyMs = tookMs
      this.#wasLate = false
      this.#failing.delete(operation)
      permit.succeeded()
      listener(operation, 'ok', tookMs)
      return reply
    } catch (error) {
      const isLate = error instanceof RedisFault
      const reason = reasonOf(error)
      if (isLate) this.#wasLate = true
      this.#failing.set(operation, reason)
      permit.failed(reason)
      listener(operation, isLate ? 'late' : 'failed', clock.now() - startedAt)
      throw isLate ? error : new RedisFault(reason)
    }
  }

  #inTime<T>(reply: Promise<T>): Promise<T> {
    const { clock, deadlineMs, shortDeadlineMs } = this.#options
    const waitMs = this.#wasLate ? shortDeadlineMs : deadlineMs
    return new Promise((resolve, reject) => {
      // A busy process fires timers before it reads sockets: a reply that has already arrived is still in time.
      const timer = clock.timer(waitMs, () =>
        setImmediate(() => reject(new RedisFault(`no reply within ${waitMs} ms`))),
      )
      const settle =
        <Value>(how: (value: Value) => void) =>
        (value: Value) => {
          timer.cancel()
          how(value)
        }
      reply.then(settle(resolve), settle(reject))
    })
  }
}
