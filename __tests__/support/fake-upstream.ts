import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Asked, type Behaviour, says } from './upstream-behaviour.ts'

/** What the books say of one call. */
export type Entry = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The body, byte for byte. */
  readonly body: string
  readonly bytes: Buffer
  readonly asked: Asked
  readonly arrivedAt: number
  /** When the response was complete. */
  finishedAt?: number
  /** When the caller's side closed before the response was complete. */
  abandonedAt?: number
}

/**
 * A provider that speaks OpenAI's protocol on a real socket, misbehaves on demand, and keeps its own books:
 * what the gateway claims is checked against them.
 */
export class FakeUpstream {
  readonly calls: Entry[] = []
  readonly #server = createServer((request, response) => void this.#take(request, response))
  readonly #byModel = new Map<string, Behaviour>()
  #usual: Behaviour = says(['Hello', ' there', '!'])

  static async start(): Promise<FakeUpstream> {
    const upstream = new FakeUpstream()
    await new Promise<void>(resolve => upstream.#server.listen(0, '127.0.0.1', resolve))
    return upstream
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  /** Calls whose response is neither complete nor abandoned. */
  get open(): Entry[] {
    return this.calls.filter(
      ({ finishedAt, abandonedAt }) => finishedAt === undefined && abandonedAt === undefined,
    )
  }

  /** What to do with calls that nothing else is said for. */
  usually(behaviour: Behaviour): this {
    this.#usual = behaviour
    return this
  }

  /** What to do with calls for this model, so that tests can run side by side. */
  forModel(model: string, behaviour: Behaviour): this {
    this.#byModel.set(model, behaviour)
    return this
  }

  /** The name of a new model that behaves like this. */
  modelThat(behaviour: Behaviour): string {
    const model = `model-${this.#byModel.size}`
    this.forModel(model, behaviour)
    return model
  }

  callsFor(model: string): Entry[] {
    return this.calls.filter(({ asked }) => asked.model === model)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedAt = performance.now()
    const bytes = await bytesOf(request).catch(() => undefined)
    // Its caller has left in the middle of the body.
    if (!bytes) return
    const body = bytes.toString('utf8')
    const asked = askedOf(request, body)
    const entry: Entry = { path: request.url ?? '', headers: request.headers, body, bytes, asked, arrivedAt }
    this.calls.push(entry)
    const left = new AbortController()
    response.once('close', () => {
      if (response.writableFinished) entry.finishedAt = performance.now()
      else {
        entry.abandonedAt = performance.now()
        left.abort()
      }
    })
    const behaviour = this.#byModel.get(asked.model) ?? this.#usual
    await behaviour(response, asked, left.signal)
  }
}

const bytesOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** What a request asks: its JSON, or the model alone where it is a form. */
const askedOf = ({ headers }: IncomingMessage, body: string): Asked => {
  if (!headers['content-type']?.startsWith('multipart/'))
    return body === '' ? { model: '', messages: [] } : JSON.parse(body)
  return { model: /name="model"\r\n\r\n([^\r]*)/.exec(body)?.[1] ?? '', messages: [] }
}
