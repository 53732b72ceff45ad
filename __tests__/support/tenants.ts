import { Pool } from 'undici'
import { oneOf } from './load.ts'

/** What is addressed by an id, and belongs to one owner. */
export const KINDS = [
  'response',
  'stream',
  'job',
  'file',
  'v1-batch',
  'message-batch',
  'value',
  'request',
  'key',
] as const
export type Kind = (typeof KINDS)[number]

export type Answer = Readonly<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }>
export type Sent = Readonly<{
  method?: string
  body?: object | string
  headers?: Readonly<Record<string, string>>
}>

/** One owner: what it sends as itself, and the ids that it has been given. */
export class Tenant {
  /** In everything that it asks, and in the names of all that it makes. */
  readonly marker: string
  readonly kind: 'key' | 'guest' | 'anonymous'
  readonly credentials: readonly Readonly<Record<string, string>>[]
  readonly #removed = new Set<string>()
  readonly #ids = new Map<Kind, string[]>(KINDS.map(kind => [kind, []]))
  /** How many requests are in progress with an idempotency key. */
  readonly busy = new Map<string, number>()
  /** How many have been sent with one. */
  readonly begun = new Map<string, number>()

  constructor(marker: string, kind: Tenant['kind'], credentials: Tenant['credentials']) {
    this.marker = marker
    this.kind = kind
    this.credentials = credentials
  }

  idsOf(kind: Kind): readonly string[] {
    return this.#ids.get(kind) ?? []
  }

  has(kind: Kind, id: string): boolean {
    return this.idsOf(kind).includes(id)
  }

  add(kind: Kind, id: unknown): void {
    if (typeof id === 'string' && !this.has(kind, id) && !this.#removed.has(id)) this.#ids.get(kind)?.push(id)
  }

  /** For good: an id that is removed is not added again. */
  remove(kind: Kind, id: string): void {
    this.#removed.add(id)
    const ids = this.#ids.get(kind) ?? []
    const at = ids.indexOf(id)
    if (at >= 0) ids.splice(at, 1)
  }
}

/** What is in an answer that was unique to its call of the upstream. */
export const nonce = (call: number): string => `#N${call}#`
const NONCE = /#N(\d+)#/g

const VARIES: ReadonlySet<string> = new Set([
  'content-length',
  'date',
  'openai-processing-ms',
  'request-id',
  'server-timing',
  'x-request-id',
])
const UNIQUE = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|req_[\w-]+/gi

/** An answer without what differs between two requests. */
const shapeOf = ({ status, headers, text }: Answer, id: string): string => {
  const constant = Object.entries(headers).filter(([name]) => !VARIES.has(name))
  const body = text.replaceAll(id, 'ID').replaceAll(encodeURIComponent(id), 'ID').replace(UNIQUE, 'UNIQUE')
  return JSON.stringify([status, constant.toSorted(), body])
}

/** Several owners of one gateway, and all that was seen of one by another. */
export class Tenants {
  readonly #tenants: readonly Tenant[]
  readonly #pools: readonly Pool[]
  readonly #readerOf = new Map<string, Tenant>()
  readonly #refusals = new Map<string, string>()
  readonly crossReads: string[] = []
  readonly faults: string[] = []
  /** Attempts by kind of operation: at one's own, at another's, and at unknown ids. */
  readonly counts = new Map<string, { own: number; other: number; unknown: number }>()

  constructor(tenants: readonly Tenant[], urls: readonly string[]) {
    this.#tenants = tenants
    this.#pools = urls.map(url => new Pool(url, { connections: 32 }))
  }

  get all(): readonly Tenant[] {
    return this.#tenants
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map(pool => pool.destroy()))
  }

  /** Sends a request as that tenant, and looks in the answer for what is another's. */
  async send(as: Tenant, path: string, sent: Sent, random: () => number): Promise<Answer> {
    const { method = sent.body === undefined ? 'GET' : 'POST', body, headers = {} } = sent
    const pool = oneOf(this.#pools, random())
    if (!pool) throw new Error('No gateway')
    const isText = typeof body === 'string'
    const response = await pool.request({
      path,
      method: method as 'GET',
      headers: {
        ...oneOf(as.credentials, random()),
        ...(body !== undefined && !isText && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    })
    const answer = {
      status: response.statusCode,
      headers: response.headers,
      text: await response.body.text(),
    }
    if (answer.status >= 500) this.faults.push(`${method} ${path}: ${answer.status} ${answer.text}`)
    this.#look(as, method, path, answer)
    return answer
  }

  count(name: string, whose: 'own' | 'other' | 'unknown'): void {
    const counts = this.counts.get(name) ?? { own: 0, other: 0, unknown: 0 }
    counts[whose] += 1
    this.counts.set(name, counts)
  }

  /** The answer about an id that is not the caller's must be the same as about one that does not exist. */
  refused(name: string, as: Tenant, id: string, answer: Answer, expected: number): void {
    if (answer.status !== expected)
      this.faults.push(`${name} of ${id} by ${as.marker}: ${answer.status} ${answer.text.slice(0, 200)}`)
    const shape = shapeOf(answer, id)
    const place = `${name} by a ${as.kind}`
    const first = this.#refusals.get(place)
    if (first === undefined) this.#refusals.set(place, shape)
    else if (first !== shape) this.faults.push(`${place} differs: ${first} | ${shape}`)
  }

  /** Answers of the upstream that were seen by an owner. */
  get answersSeen(): number {
    return this.#readerOf.size
  }

  #look(as: Tenant, method: string, path: string, { headers, text }: Answer): void {
    // A refusal may repeat the key of a value that was asked for, in which is its owner's marker.
    const everything = (text + JSON.stringify(headers)).replaceAll(/TENANT-.*$/.exec(path)?.[0] ?? path, '')
    const what = `${method} ${path}`
    for (const other of this.#tenants)
      if (other !== as && everything.includes(other.marker))
        this.crossReads.push(`${what} by ${as.marker} shows ${other.marker}: ${text.slice(0, 300)}`)
    for (const [found] of everything.matchAll(NONCE)) {
      const reader = this.#readerOf.get(found)
      if (reader === undefined) this.#readerOf.set(found, as)
      else if (reader !== as)
        this.crossReads.push(`${what} by ${as.marker} shows ${found}, which was ${reader.marker}'s`)
    }
  }
}
