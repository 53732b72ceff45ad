import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { MODELS } from './fault-upstream.ts'
import { GatewayProcess } from './gateway.ts'
import { oneOf } from './load.ts'

/** What a client knows of its call; times of `performance.now`. */
export type ClientCall = {
  readonly id: string
  readonly life: Life
  /** When the whole answer was there, an error included; absent where it never was. */
  endedAt?: number
  /** When the client left by its own will. */
  leftAt?: number
  status?: number
  textBytes: number
}

/** One life of a gateway's process. */
export type Life = { killedAt?: number }

const WORD = /word /g
const END = /event: done|event: error|data: \[DONE\]|"type":"message_stop"|event: response\.completed|"error"/
const LONGEST_STAY_MS = 60

/** A gateway that is killed and started again at the same place. */
export class Mortal {
  readonly #env: Readonly<Record<string, string>>
  readonly #pool: Pool
  readonly gateways: GatewayProcess[]
  readonly port: number
  life: Life | undefined = {}

  private constructor(gateway: GatewayProcess, env: Readonly<Record<string, string>>) {
    this.#env = env
    this.gateways = [gateway]
    this.port = Number(new URL(gateway.url).port)
    this.#pool = new Pool(gateway.url, { connections: 200 })
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Mortal> {
    return new Mortal(await GatewayProcess.start('native', env), env)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async killAndStart(): Promise<void> {
    const { life } = this
    if (!life) return
    this.life = undefined
    life.killedAt = performance.now()
    await this.gateways.at(-1)?.stop()
    this.gateways.push(await GatewayProcess.start('native', this.#env, { port: this.port }))
    this.life = {}
  }

  async stop(): Promise<void> {
    await this.gateways.at(-1)?.stop()
    await this.#pool.destroy()
  }

  /** Asks in one of three formats, whole or streamed; some clients leave. Never rejects. */
  async ask(call: ClientCall, key: string, random: () => number): Promise<void> {
    const stream = random() < 0.6
    const model = oneOf(MODELS, random()) ?? ''
    const messages = [{ role: 'user', content: `Answer ${call.id}` }]
    const usual = { model, messages, stream }
    const [path, body] = oneOf<[string, object]>(
      [
        ['/api/chat', { ...usual, maxTokens: 100, cache: 'no-store' }],
        ['/v1/chat/completions', { ...usual, max_tokens: 100 }],
        ['/v1/messages', { ...usual, max_tokens: 100 }],
      ],
      random(),
    ) ?? ['', {}]
    const leaving = new AbortController()
    const mayLeave = random() < 0.08
    if (mayLeave)
      void sleep(random() * LONGEST_STAY_MS).then(() => {
        if (call.endedAt !== undefined) return
        call.leftAt = performance.now()
        leaving.abort()
      })
    try {
      const headers = {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'x-request-id': call.id,
        ...(path.startsWith('/v1') && { 'cache-control': 'no-store' }),
      }
      const options = { path, method: 'POST' as const, headers, body: JSON.stringify(body) }
      const response = await this.#pool.request({ ...options, signal: leaving.signal })
      call.status = response.statusCode
      let text = ''
      for await (const part of response.body) {
        text += part
        call.textBytes = 5 * (text.match(WORD)?.length ?? 0)
      }
      // A stream whose gateway was killed ends without an end.
      if (!stream || response.statusCode !== 200 || END.test(text)) call.endedAt = performance.now()
    } catch {
      // It has left, or its gateway has.
    }
  }
}
