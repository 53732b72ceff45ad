import { globSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { addRoute, createRouter, findRoute } from 'rou3'
import { FastResponse, NodeRequest, sendNodeResponse } from 'srvx/node'
import { GatewayError } from '../errors.ts'
import type { ContentEncoding } from '../http/accept-encoding.ts'
import { buildResponsesWith, type ResponseHead } from '../http/route-response.ts'
import type { Method, RouteHandler } from '../http/serve.ts'
import { compressResponse, compressText, encodingFor, SMALLEST_BYTES } from '../http/server/compression.ts'
import { guardServer } from '../http/server/guard.ts'
import { guardPages, type NodeHandler } from '../http/server/pages.ts'
import { refuse } from '../http/server/refuse.ts'
import { pathOf, screen } from '../http/server/screen.ts'
import { notePeer } from '../http/transport.ts'

const NO_PARAMS = Promise.resolve({})

/**
 * The native server: the table's route handlers straight on `node:http`; every other path goes to `pages`.
 * The files of a `build` of the pages it sends itself.
 * About twenty times the throughput of the same handlers under `next start`.
 */
export const nativeServer = (routes: RouteTable, pages: NodeHandler, build?: string): Server => {
  buildResponsesWith(NativeResponse)
  const servePage = guardPages(build)
  const server = createServer((req, res) => {
    if (screen(req, res)) return
    const match = routes(req.method ?? 'GET', pathOf(req.url))
    if (!match)
      return servePage(req, res, () => {
        notePeer(req)
        return pages(req, res)
      })
    const { handler, params } = match
    const context = { params: Object.keys(params).length === 0 ? NO_PARAMS : Promise.resolve(params) }
    void handler(new NodeRequest({ req, res }), context)
      .then(response =>
        response instanceof NativeResponse ? response.writeTo(req, res) : sendNodeResponse(res, response),
      )
      .catch(thrown => {
        endWithError(req, res)
        throw thrown
      })
  })
  return guardServer(server)
}

/** Where a response cannot be written, its client is not left waiting. */
const endWithError = (request: IncomingMessage, response: ServerResponse): void => {
  if (response.headersSent) response.destroy()
  else refuse(request, response, new GatewayError('INTERNAL_ERROR'))
}

type RouteModule = Readonly<Partial<Record<Method, RouteHandler>>>
export type Match = Readonly<{ handler: RouteHandler; params: Record<string, string | string[]> }>
export type RouteTable = (method: string, path: string) => Match | undefined

const parameterOf = (segment: string): string =>
  segment.replace(/^\[\[?\.\.\.(.+?)\]\]?$/, '**:$1').replace(/^\[(.+)\]$/, ':$1')

/**
 * A file of Next's `app` folder as path patterns: `api/kv/[key]/route.ts` is `/api/kv/:key`. An optional catch-all
 * (`[[...path]]`) is one more, without its parameter.
 */
const patternsOf = (file: string): readonly string[] => {
  const segments = file
    .split('/')
    .slice(0, -1)
    .filter(segment => !/^\(.*\)$/.test(segment))
  const whole = `/${segments.map(parameterOf).join('/')}`
  return segments.at(-1)?.startsWith('[[') ? [whole, `/${segments.slice(0, -1).join('/')}`] : [whole]
}

/** Catch-all parameters are lists, as in Next. */
const paramsOf = (pattern: string, found: Record<string, string> = {}): Match['params'] =>
  Object.fromEntries(
    Object.entries(found).map(([name, value]) => [
      name,
      pattern.includes(`**:${name}`) ? value.split('/') : value,
    ]),
  )

/**
 * Reads every `route.ts` below `appDir`, or `route.js` in a bundle: the same files that Next serves, and the only route
 * table there is.
 */
export const readRouteTable = async (appDir: string): Promise<RouteTable> => {
  const router = createRouter<{ pattern: string; module: RouteModule }>()
  for (const file of globSync('**/route.{ts,js}', { cwd: appDir })) {
    const module: RouteModule = await import(pathToFileURL(join(appDir, file)).href)
    for (const pattern of patternsOf(file)) addRoute(router, '', pattern, { pattern, module })
  }
  return (method, path) => {
    const found = findRoute(router, '', path)
    if (!found) return undefined
    const { pattern, module } = found.data
    const handler = module[(method === 'HEAD' ? 'GET' : method) as Method]
    return handler && { handler, params: paramsOf(pattern, found.params) }
  }
}

const MOST_BYTES_PER_CHARACTER = 3

/** Whether a body is longer than 1 kB, so that it is compressed for a request that accepts it. */
export const isCompressible = (body: string): boolean =>
  body.length > SMALLEST_BYTES ||
  (body.length * MOST_BYTES_PER_CHARACTER > SMALLEST_BYTES && Buffer.byteLength(body) > SMALLEST_BYTES)

/**
 * A response of the native server. Text is written together with its head: two buffers cost the socket nearly twice as
 * much.
 */
export class NativeResponse extends FastResponse {
  readonly #body: BodyInit | null
  readonly #head: ResponseHead

  constructor(body: BodyInit | null, head: ResponseHead) {
    super(body, head)
    this.#body = body
    this.#head = head
  }

  /** Writes it in the encoding that the request asks for. */
  writeTo(request: IncomingMessage, response: ServerResponse): void {
    const body = this.#body
    if (typeof body !== 'string') {
      if (body !== null && !this.#isEventStream) compressResponse(request, response)
      void sendNodeResponse(response, this)
    } else if (isCompressible(body)) this.#writeEncoded(body, request, response)
    else this.#write(response, body)
  }

  get #isEventStream(): boolean {
    return this.#head.headers['content-type']?.startsWith('text/event-stream') ?? false
  }

  #writeEncoded(body: string, request: IncomingMessage, response: ServerResponse): void {
    const { vary, 'cache-control': cacheControl } = this.#head.headers
    const varying = { vary: vary === undefined ? 'Accept-Encoding' : `${vary}, Accept-Encoding` }
    const encoding = encodingFor(request, cacheControl)
    if (encoding === undefined) this.#write(response, body, varying)
    else void this.#writeCompressed(body, encoding, response, varying)
  }

  async #writeCompressed(
    body: string,
    encoding: ContentEncoding,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const bytes = await compressText(body, encoding)
    if (bytes) this.#write(response, bytes, { ...headers, 'content-encoding': encoding })
    else this.#write(response, body, headers)
  }

  #write(response: ServerResponse, body: string | Buffer, more?: Readonly<Record<string, string>>): void {
    const { status, statusText, headers } = this.#head
    response
      .writeHead(status, statusText, { ...headers, ...more, 'content-length': Buffer.byteLength(body) })
      .end(body)
  }
}
