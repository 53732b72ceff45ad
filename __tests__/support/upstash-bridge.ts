import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'

type Command = readonly (string | number)[]
type Outcome = Readonly<{ result: unknown } | { error: string }>

const isCommand = (value: unknown): value is Command =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  value.every(part => typeof part === 'string' || typeof part === 'number')

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Upstash's REST protocol over a Redis: one command by `POST /`, several by `/pipeline`, a transaction by
 * `/multi-exec`, each as JSON arrays, with a bearer token. It counts what it was asked.
 * https://upstash.com/docs/redis/features/restapi
 */
export class UpstashBridge {
  readonly token = 'a-token-of-the-bridge'
  /** Names of all commands, in the order in which they came. */
  readonly commands: string[] = []
  readonly #redis: Redis
  readonly #server = createServer((request, response) => void this.#take(request, response))
  /** Answers everything with this instead, where it is set: status and body. */
  breaksWith: Readonly<{ status: number; body: string }> | undefined

  private constructor(redisUrl: string) {
    this.#redis = new Redis(redisUrl, { retryStrategy: () => 50, maxRetriesPerRequest: 1 })
    this.#redis.on('error', () => {})
  }

  static async start(redisUrl: string): Promise<UpstashBridge> {
    const bridge = new UpstashBridge(redisUrl)
    await new Promise<void>(resolve => bridge.#server.listen(0, '127.0.0.1', resolve))
    return bridge
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#redis.disconnect()
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const body = await textOf(request)
    if (this.breaksWith) return void response.writeHead(this.breaksWith.status).end(this.breaksWith.body)
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return answer(401, { error: 'WRONGPASS invalid or missing auth token' })
    const asked: unknown = JSON.parse(body)
    if (request.url === '/pipeline' || request.url === '/multi-exec') {
      if (!Array.isArray(asked) || !asked.every(isCommand)) return answer(400, { error: 'ERR no commands' })
      return answer(200, await this.#several(asked, request.url === '/multi-exec'))
    }
    if (!isCommand(asked)) return answer(400, { error: 'ERR no command' })
    const outcome = await this.#one(asked)
    return answer('error' in outcome ? 400 : 200, outcome)
  }

  async #one([name, ...args]: Command): Promise<Outcome> {
    this.commands.push(String(name).toLowerCase())
    try {
      return { result: await this.#redis.call(String(name), ...args) }
    } catch (error) {
      return { error: said(error) }
    }
  }

  async #several(commands: readonly Command[], together: boolean): Promise<readonly Outcome[]> {
    for (const [name] of commands) this.commands.push(String(name).toLowerCase())
    const batch = together ? this.#redis.multi() : this.#redis.pipeline()
    for (const [name, ...args] of commands) batch.call(String(name), ...args)
    const outcomes = (await batch.exec()) ?? []
    return outcomes.map(([error, result]) => (error ? { error: said(error) } : { result }))
  }
}
