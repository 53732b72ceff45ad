import type { Clock } from '../clock.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { newJournal, type Surface, type Visit } from '../visit.ts'
import type { AccessRules } from './access-rules.ts'
import { assertAllowedHost } from './allowed-host.ts'
import { type Answer, toResponse } from './answer.ts'
import { originOf, requestIdOf } from './arrive.ts'
import { dropRest } from './body.ts'
import type { Cors } from './cors.ts'
import { assertSameSite } from './cross-site.ts'
import { errorAnswer } from './error-answer.ts'
import type { OpenVisit, OpenVisits } from './open-visits.ts'
import { transportSecurity } from './transport.ts'
import { visitHeaders } from './visit-headers.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
export type Method = (typeof METHODS)[number]
/** Methods that change nothing, whatever the route. Source: RFC 9110, 9.2.1. */
const SAFE: readonly Method[] = ['GET', 'OPTIONS']

/** How a visit ended, as told to whoever keeps the log. */
export type VisitEnd = Readonly<{ method: string; status: number; error: GatewayError | undefined }>

/** What `serve` needs of the gateway behind it. */
export type Host = Readonly<{
  clock: Clock
  visits: OpenVisits
  cors: Cors
  /** Headers of every answer. */
  headers: Readonly<Record<string, string>>
  sessionCookie: string
  access: AccessRules
  /** True once new visits are turned away. */
  closed: () => boolean
  onEnd: (visit: Visit, end: VisitEnd) => void
}>

/** All that a route's handler is given. */
export type Exchange<G> = Readonly<{
  request: Request
  visit: Visit
  params: Readonly<Record<string, string | readonly string[]>>
  gateway: G
  /** Breaks off everything done for this visit. */
  abandon: (reason: GatewayError) => void
  /** Lets this visit go on when its client has gone, until its answer has `ended`. */
  outlive: () => void
}>

export type RouteOptions = Readonly<{
  /** The route's pattern, for the log. */
  route: string
  surface: Surface
  /** Whether its methods other than GET change or spend anything: pages of other sites may then not call them. */
  changes: boolean
  /** Answered whatever the Host header says: health checks come under any name. */
  anyHost?: true
  /** Asked by machines, again and again: answered to the last, and kept out of the log. */
  probe?: true
  /** Answered as long as the process lives. */
  toTheLast?: true
}>
export type Handlers<G> = { readonly [M in Method]?: (exchange: Exchange<G>) => Promise<Answer> }
/** What a `route.ts` exports, once for each method. */
export type RouteHandler = (
  request: Request,
  context: { params: Promise<Record<string, string | string[]>> },
) => Promise<Response>

const arrive = (request: Request, host: Host, { route, surface }: RouteOptions, open: OpenVisit): Visit => ({
  route,
  surface,
  requestId: requestIdOf(request),
  origin: { address: 'unknown' },
  caller: { kind: 'anonymous', address: 'unknown' },
  signal: open.signal,
  startedAt: host.clock.now(),
  journal: newJournal(),
})

const identified = (visit: Visit, request: Request, host: Host): Visit => {
  const origin = originOf(request, host.access, host.sessionCookie)
  return { ...visit, origin, caller: { kind: 'anonymous', address: origin.address } }
}

const preflight = (request: Request, host: Host, methods: string): Answer => ({
  status: 204,
  headers: { allow: methods, ...host.cors.preflight(request.headers.get('origin'), methods) },
})

const refuseMethod = (method: Method, methods: string): never => {
  throw new GatewayError('METHOD_NOT_ALLOWED', `This address takes ${methods}, not ${method}.`)
}

/** Judges where a request comes from, before anyone asks who sent it. Throws FORBIDDEN. */
const assertAccess = (request: Request, method: Method, host: Host, options: RouteOptions): void => {
  if (!options.anyHost) assertAllowedHost(request, host.access)
  if (options.changes && !SAFE.includes(method)) assertSameSite(request, host.access)
}

/**
 * Makes a route's handlers into what `route.ts` exports: every visit is opened and closed, every failure
 * becomes the error body, every answer gets the headers of CONTRACT.md, and every end is told once.
 */
export const serving =
  <G extends Host>(gateway: () => Promise<G>) =>
  (options: RouteOptions, handlers: Handlers<G>): Record<Method, RouteHandler> => {
    const methods = METHODS.filter(method => handlers[method] || method === 'OPTIONS').join(', ')

    const handle = async (method: Method, exchange: Exchange<G>, host: Host): Promise<Answer> => {
      if (host.closed() && !options.probe && !options.toTheLast) throw new GatewayError('SHUTTING_DOWN')
      assertAccess(exchange.request, method, host, options)
      const handler = handlers[method]
      if (handler) return handler({ ...exchange, visit: identified(exchange.visit, exchange.request, host) })
      return method === 'OPTIONS' ? preflight(exchange.request, host, methods) : refuseMethod(method, methods)
    }

    const respond =
      (method: Method): RouteHandler =>
      async (request, { params }) => {
        const host = await gateway()
        const open = host.visits.open(request.signal)
        const visit = arrive(request, host, options, open)
        let error: GatewayError | undefined
        let answer: Answer
        try {
          const wait = options.probe ? undefined : turn()
          if (wait) await wait
          const { abort: abandon, outlive } = open
          const exchange = { request, visit, params: await params, gateway: host, abandon, outlive }
          answer = await handle(method, exchange, host)
        } catch (thrown) {
          error = toGatewayError(thrown)
          answer = errorAnswer(error, visit.requestId)
          if (error.code === 'METHOD_NOT_ALLOWED')
            answer = { ...answer, headers: { ...answer.headers, allow: methods } }
          if (error.code === 'PAYLOAD_TOO_LARGE' || options.surface === 'upload')
            dropRest(request, host.clock)
        }
        const end = () => {
          open.close()
          const failure = error ?? visit.journal.error ?? leftBy(open.signal)
          if (!options.probe) host.onEnd(visit, { method, status: answer.status ?? 200, error: failure })
        }
        if (answer.ended) void answer.ended.then(end)
        else end()
        return toResponse(answer, {
          ...host.headers,
          ...transportSecurity(request, host.access),
          ...host.cors.headers(request.headers.get('origin')),
          ...visitHeaders(visit, host.clock.now()),
          ...(host.closed() && { connection: 'close' }),
        })
      }

    return Object.fromEntries(METHODS.map(method => [method, respond(method)])) as Record<
      Method,
      RouteHandler
    >
  }

const leftBy = ({ aborted, reason }: AbortSignal): GatewayError | undefined =>
  aborted ? toGatewayError(reason) : undefined
