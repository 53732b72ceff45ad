import { isIP } from 'node:net'
import { Agent, type Dispatcher, request as send } from 'undici'
import type { Clock } from '../clock.ts'
import { guardedLookup, isPublicAddress } from '../public-address.ts'
import { type ServiceAnswer, type ServiceRequest, ToolFailure } from './types.ts'

const CONNECT_MS = 3_000
const MOST_HEADER_BYTES = 16_384
const MOST_REDIRECTS = 3
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const LONGEST_WAIT_MS = 3_600_000

export type ServiceFetchDeps = Readonly<{
  /** Connects to the services that the operator has configured, wherever they are. */
  dispatcher: Dispatcher
  /** Whether that is a proxy, which looks names up by itself: then no redirect may leave its origin. */
  isProxied: boolean
  userAgent: string
  clock: Clock
}>

type Limits = Readonly<{ signal: AbortSignal; mostBytes: number }>
type Hop = Readonly<{ request: ServiceRequest; isForeign: boolean }>

/** One message for all: it must not reveal what is in our network. */
const refusedRedirect = (): ToolFailure =>
  new ToolFailure('redirect', 'The service redirected to an address that is not allowed.')

/** Connects to the open internet alone. */
const publicDispatcher = (): Dispatcher =>
  new Agent({
    connect: { timeout: CONNECT_MS, lookup: guardedLookup(isPublicAddress, refusedRedirect) },
    maxHeaderSize: MOST_HEADER_BYTES,
  })

const headerOf = (headers: Dispatcher.ResponseData['headers'], name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

const retryAfterMsOf = (value: string | undefined, now: number): number | undefined => {
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - now
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, LONGEST_WAIT_MS) : undefined
}

/** Reads as many bytes of a body as are allowed, and leaves the rest. */
const readBody = async (
  body: Dispatcher.ResponseData['body'],
  mostBytes: number,
): Promise<Pick<ServiceAnswer, 'text' | 'isCut'>> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    // Leaving the loop closes the connection.
    if (size > mostBytes) break
  }
  const text = new TextDecoder().decode(Buffer.concat(chunks).subarray(0, mostBytes))
  return { text, isCut: size > mostBytes }
}

const unreachable = (error: unknown): ToolFailure => {
  if (error instanceof ToolFailure) return error
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof ToolFailure
    ? cause
    : new ToolFailure('unreachable', 'The service could not be reached.')
}

/** Rejects as soon as the signal aborts: a connection attempt does not. */
export const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  work.catch(() => {})
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/**
 * Requests to services. Redirects of a GET are followed within the service's origin, and else to public addresses
 * alone, without the headers of the request, which may hold a key. Addresses are checked for each connection.
 */
export class ServiceClient {
  readonly #deps: ServiceFetchDeps
  readonly #public = publicDispatcher()

  constructor(deps: ServiceFetchDeps) {
    this.#deps = deps
  }

  /** Rejects with a ToolFailure, or with the signal's reason. */
  async fetch(request: ServiceRequest, limits: Limits): Promise<ServiceAnswer> {
    try {
      return await this.#follow({ request, isForeign: false }, limits)
    } catch (error) {
      limits.signal.throwIfAborted()
      throw unreachable(error)
    }
  }

  async #follow(first: Hop, limits: Limits): Promise<ServiceAnswer> {
    let hop = first
    for (let redirects = 0; ; redirects += 1) {
      const response = await untilAborted(this.#send(hop, limits), limits.signal)
      if (!REDIRECTS.has(response.statusCode))
        return await untilAborted(this.#read(response, limits), limits.signal)
      response.body.on('error', () => {}).destroy()
      if (redirects === MOST_REDIRECTS) throw refusedRedirect()
      hop = this.#next(hop, headerOf(response.headers, 'location'))
    }
  }

  #send({ request, isForeign }: Hop, { signal }: Limits): Promise<Dispatcher.ResponseData> {
    const { method = 'GET', url, headers = {}, body } = request
    return send(url, {
      dispatcher: isForeign ? this.#public : this.#deps.dispatcher,
      method: method as Dispatcher.HttpMethod,
      headers: {
        accept: 'application/json, */*;q=0.5',
        'accept-encoding': 'identity',
        'user-agent': this.#deps.userAgent,
        ...headers,
      },
      ...(body !== undefined && { body }),
      signal,
    })
  }

  async #read(
    { statusCode, headers, body }: Dispatcher.ResponseData,
    limits: Limits,
  ): Promise<ServiceAnswer> {
    const encoding = headerOf(headers, 'content-encoding') ?? 'identity'
    if (encoding.toLowerCase() !== 'identity') {
      body.on('error', () => {}).destroy()
      throw new ToolFailure('malformed', 'The service compressed its answer without being asked to.')
    }
    const [mediaType = ''] = (headerOf(headers, 'content-type') ?? '').toLowerCase().split(';')
    return {
      status: statusCode,
      mediaType: mediaType.trim(),
      ...(await readBody(body, limits.mostBytes)),
      retryAfterMs: retryAfterMsOf(headerOf(headers, 'retry-after'), this.#deps.clock.now()),
    }
  }

  #next({ request, isForeign }: Hop, location: string | undefined): Hop {
    const { url: from, method = 'GET' } = request
    const to = location === undefined ? null : URL.parse(location, from.href)
    if (!to || method !== 'GET' || !/^https?:$/.test(to.protocol)) throw refusedRedirect()
    if (to.origin === from.origin) return { request: { ...request, url: to }, isForeign }
    const host = to.hostname.replace(/^\[|\]$/g, '')
    const isPrivate = isIP(host) !== 0 && !isPublicAddress(host)
    const isDowngrade = from.protocol === 'https:' && to.protocol === 'http:'
    if (isPrivate || isDowngrade || this.#deps.isProxied) throw refusedRedirect()
    to.username = ''
    to.password = ''
    return { request: { url: to }, isForeign: true }
  }
}
