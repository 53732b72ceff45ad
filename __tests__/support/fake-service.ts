import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as the service received it. */
export type Received = Readonly<{
  method: string
  url: URL
  headers: IncomingMessage['headers']
  body: string
  at: number
}>

export type Answer = (response: ServerResponse, received: Received) => void | Promise<void>

/** Answers with this JSON. */
export const json =
  (value: unknown, status = 200): Answer =>
  response => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }

/** A service of tools on a real socket, which answers by path and keeps its own books. */
export class FakeService {
  readonly received: Received[] = []
  /** Requests whose client left before the answer was complete. */
  abandoned = 0
  readonly #answers = new Map<string, Answer>()
  readonly #server = createServer((request, response) => void this.#take(request, response))

  static async start(): Promise<FakeService> {
    const service = new FakeService()
    await new Promise<void>(resolve => service.#server.listen(0, '127.0.0.1', resolve))
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  on(path: string, answer: Answer): this {
    this.#answers.set(path, answer)
    return this
  }

  /** Requests for a path. */
  of(path: string): Received[] {
    return this.received.filter(({ url }) => url.pathname === path)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now()
    let body = ''
    for await (const chunk of request) body += chunk
    const { method = '', headers } = request
    const received = { method, url: new URL(request.url ?? '/', this.url), headers, body, at }
    this.received.push(received)
    response
      .on('error', () => {})
      .once('close', () => {
        if (!response.writableFinished) this.abandoned += 1
      })
    const answer = this.#answers.get(received.url.pathname) ?? json({ error: 'not found' }, 404)
    await answer(response, received)
  }
}

/** What Open-Meteo answers for a place and its weather. */
export const openMeteoOn = (service: FakeService): FakeService =>
  service
    .on(
      '/v1/search',
      json({ results: [{ name: 'Berlin', latitude: 52.52, longitude: 13.41, country: 'Germany' }] }),
    )
    .on(
      '/v1/forecast',
      json({
        current_units: { temperature_2m: '°C' },
        current: { time: '2026-11-28T10:00', temperature_2m: 3.4, weather_code: 3 },
      }),
    )
