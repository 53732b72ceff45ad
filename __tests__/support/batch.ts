import { setTimeout as sleep } from 'node:timers/promises'
import type { Json } from './chat.ts'

const WITHIN_MS = 90_000
const POLL_MS = 30

/** A client of one gateway's batches; `headers` say who it is. */
export class BatchClient {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(gateway: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = `${gateway}/api/batch`
    this.#headers = headers
  }

  /** Any request below `/api/batch`. */
  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.#url + path, { ...init, headers: { ...this.#headers, ...init.headers } })
  }

  post(path: string, body?: object): Promise<Response> {
    return this.ask(path, {
      method: 'POST',
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  }

  upload(
    files: Readonly<Record<string, string | Uint8Array>>,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    for (const [name, content] of Object.entries(files))
      form.append('file', new Blob([content as BlobPart]), name)
    return this.ask('/upload', { method: 'POST', body: form })
  }

  /** Hands a job in. */
  async submit(items: readonly object[], more: object = {}): Promise<Json> {
    const answer = await this.post('/jobs', { items, ...more })
    const body: Json = await answer.json()
    if (answer.status !== 202) throw new Error(`not taken: ${JSON.stringify(body)}`)
    return body
  }

  async job(id: string, query = ''): Promise<Json> {
    return (await this.ask(`/jobs/${id}${query}`)).json()
  }

  /** The job once it has come to what is asked for. Each poll counts the job's items: few of them for long jobs. */
  async until(
    id: string,
    isSo: (job: Json) => boolean,
    { withinMs = WITHIN_MS, pollMs = POLL_MS } = {},
  ): Promise<Json> {
    const giveUpAt = performance.now() + withinMs
    for (;;) {
      const job = await this.job(id)
      if (isSo(job)) return job
      if (performance.now() > giveUpAt) throw new Error(`it did not come to that: ${JSON.stringify(job)}`)
      await sleep(pollMs)
    }
  }

  ended(id: string, options?: Readonly<{ withinMs?: number; pollMs?: number }>): Promise<Json> {
    return this.until(id, ({ state }) => state !== 'queued' && state !== 'running', options)
  }
}
