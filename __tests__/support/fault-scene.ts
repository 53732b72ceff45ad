import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { SseParser } from '#lib/sse-parser.ts'
import { type ChatEvent, type Json, post, textOf } from './chat.ts'
import { FakeUpstream } from './fake-upstream.ts'
import { GatewayProcess, type StartOptions } from './gateway.ts'

/** The id of the requests that warm a gateway up. */
export const WARM_UP = 'warm-up'
const KEY = 'sk-fault-test-0123456789'
const PROMPT = 'a very private question'
const UPSTREAM_WORDS = 'must not leak'
/** What the catalogue allows beyond a deadline, and a slow machine's share of it. */
const SLACK_MS = 10_000

/** Both ways to ask. */
export const JSON_AND_STREAM: readonly (readonly [string, boolean])[] = [
  ['JSON', false],
  ['stream', true],
]

/** All that a client was told. */
export type Told = Readonly<{
  requestId: string
  status: number
  headers: Headers
  text: string
  /** The events of a stream; empty for JSON. */
  events: readonly ChatEvent[]
  /** The text of the answer, as far as it came. */
  content: string
  /** The error envelope's inside, whether it was the answer or a stream's last event. */
  error: Json
  elapsedMs: number
}>

const eventsOf = (text: string): ChatEvent[] =>
  new SseParser().push(Buffer.from(text)).map(({ event, data }) => ({ event, data: JSON.parse(data) }))

const tell = async (answer: Response, startedAt: number): Promise<Told> => {
  const text = await answer.text()
  const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  const events = isStream ? eventsOf(text) : []
  const last = isStream ? events.at(-1)?.data : JSON.parse(text)
  return {
    requestId: answer.headers.get('x-request-id') ?? '',
    status: answer.status,
    headers: answer.headers,
    text,
    events,
    content: isStream ? textOf(events) : (last.content ?? ''),
    error: last?.error,
    elapsedMs: performance.now() - startedAt,
  }
}

type Scenery = Readonly<{
  env?: (upstreamUrl: string) => Record<string, string>
  start?: StartOptions
  deadlineMs?: number
}>

const untilZero = async (count: () => Promise<number>, what: string): Promise<void> => {
  const deadline = performance.now() + 20_000
  for (let left = await count(); left !== 0; left = await count()) {
    if (performance.now() > deadline) throw new Error(`${left} ${what} did not end`)
    await sleep(10)
  }
}

/** A gateway before an upstream that misbehaves, and the oracle of the catalogue of faults. */
export class FaultScene {
  readonly upstream: FakeUpstream
  readonly gateway: GatewayProcess
  readonly #deadlineMs: number

  private constructor(upstream: FakeUpstream, gateway: GatewayProcess, deadlineMs: number) {
    this.upstream = upstream
    this.gateway = gateway
    this.#deadlineMs = deadlineMs
  }

  /** @param deadlineMs REQUEST_TIMEOUT_MS and IDLE_TIMEOUT_MS of the gateway, 10 s when absent */
  static async start({ env, start, deadlineMs = 10_000 }: Scenery = {}): Promise<FaultScene> {
    const upstream = await FakeUpstream.start()
    const gateway = await GatewayProcess.start(
      'native',
      {
        OPENAI_API_KEY: KEY,
        OPENAI_BASE_URL: upstream.baseUrl,
        ENABLE_RATE_LIMITING: 'false',
        REQUEST_TIMEOUT_MS: String(deadlineMs),
        IDLE_TIMEOUT_MS: String(deadlineMs),
        // What each fault does to the circuit has tests of its own.
        BREAKER_FAILURES: '1000',
        ...env?.(upstream.baseUrl),
      },
      start,
    )
    const scene = new FaultScene(upstream, gateway, deadlineMs)
    await scene.#warmUp()
    return scene
  }

  /** Runs once through what every test uses, so that its event loop can be held against a bound. */
  async #warmUp(): Promise<void> {
    for (let round = 0; round < 3; round++)
      for (const [, stream] of JSON_AND_STREAM) {
        const headers = { 'x-request-id': WARM_UP }
        await (await post(this.gateway.url, { prompt: PROMPT, model: 'mock', stream }, { headers })).text()
        await this.metric('parley_open_requests')
      }
    await this.gateway.watchLoop()
  }

  /** Asks once and reads the answer to its end. */
  async ask(model: string, stream: boolean, changes: object = {}): Promise<Told> {
    const startedAt = performance.now()
    const body = { prompt: PROMPT, model, stream, cache: 'no-store', ...changes }
    return tell(await post(this.gateway.url, body), startedAt)
  }

  /** Asks once, checks the oracle, and returns what was told. */
  async endures(model: string, stream: boolean, changes: object = {}): Promise<Told> {
    const told = await this.ask(model, stream, changes)
    await this.expectCalm(told)
    return told
  }

  /** The log line of an answer. */
  lineOf({ requestId }: Told): Promise<Record<string, unknown>> {
    return this.gateway.lineOf(requestId)
  }

  /**
   * What must hold whatever has gone wrong: the answer came in time, a failure is our envelope with the request's
   * id, the request left one line in the log, and the gateway is back at rest.
   */
  async expectCalm(told: Told): Promise<void> {
    expect(told.elapsedMs).toBeLessThan(this.#deadlineMs + SLACK_MS)
    expect(told.requestId).toMatch(/^[0-9a-f-]{36}$/)
    if (told.status !== 200 || told.events.at(-1)?.event === 'error')
      expect(told.error).toEqual({
        code: expect.stringMatching(/^[A-Z_]+$/),
        message: expect.stringMatching(/^(?:[A-Z]|vLLM |[\w-]+\/).*\.$/s),
        requestId: told.requestId,
        retryable: expect.any(Boolean),
        ...(told.error.retryAfterSeconds !== undefined && {
          retryAfterSeconds: Number(told.headers.get('retry-after')),
        }),
        ...(told.error.details && { details: expect.any(Array) }),
      })
    if (told.events.length > 0)
      expect(told.events.filter(({ event }) => event === 'done' || event === 'error')).toHaveLength(1)
    for (const secret of [KEY, UPSTREAM_WORDS, PROMPT]) expect(told.text).not.toContain(secret)
    const line = await this.lineOf(told)
    expect(line.code).toBe(told.error?.code)
    await this.expectRest()
    expect(this.gateway.log.filter(({ requestId }) => requestId === told.requestId)).toHaveLength(1)
  }

  /** The process lives, holds no request, slot or upstream socket, and has written down nothing it should not. */
  async expectRest(): Promise<void> {
    await untilZero(() => this.openRequests(), 'open requests')
    await untilZero(async () => this.upstream.open.length, 'open calls upstream')
    expect((await fetch(`${this.gateway.url}/api/health/live`)).status).toBe(200)
    for (const secret of [KEY, UPSTREAM_WORDS, PROMPT]) expect(this.gateway.everything).not.toContain(secret)
    expect(this.gateway.everything).not.toContain('unhandled promise rejection')
    // What is written later is found by the next check, at the latest by `stop`.
    this.gateway.delays.expectBelow()
  }

  /** Nothing has kept the event loop to itself for more than 50 ms since this was last asked. */
  async expectFreeLoop(): Promise<void> {
    const delays = await this.gateway.loopDelays()
    delays.expectBelow()
  }

  /** Requests under way as the gateway itself counts them, without the one that asks. */
  async openRequests(): Promise<number> {
    return (await this.metric('parley_open_requests')) - 1
  }

  /** The sum of a metric over all its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.gateway.url}/metrics`)).text()
    const lines = text.split('\n').filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  async stop(): Promise<void> {
    const delays = await this.gateway.loopDelays()
    await this.gateway.stop()
    await this.upstream.stop()
    delays.expectBelow()
  }
}
