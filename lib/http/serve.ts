import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import type { Idempotency } from '../idempotency/types.ts'
import { turn } from '../loop-turns.ts'
import { newJournal, type RequestContext, type RequestEnd, type Surface } from '../request-context.ts'
import type { AccessRules } from './access-rules.ts'
import type { ActiveRequest, ActiveRequests } from './active-requests.ts'
import { drainBody } from './body.ts'
import { assertAllowedHost, assertSameSite, type Cors } from './cross-origin.ts'
import { errorResponse } from './error-response.ts'
import { idempotently } from './idempotent.ts'
import { type CookieNames, clientInfoOf, requestIdOf, traceparentOf } from './request-headers.ts'
import { contextHeaders, type RouteResponse, toResponse } from './route-response.ts'
import { transportSecurity } from './transport.ts'
import { unknownMethodOf } from './unknown-method.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
export type Method = (typeof METHODS)[number]
/** Methods that change nothing, whatever the route. Source: RFC 9110, 9.2.1. */
const SAFE: readonly Method[] = ['GET', 'OPTIONS']
/** Methods that no route has, in logs and metrics. Source: OpenTelemetry, `http.request.method`. */
const OTHER_METHOD = '_OTHER'

/**
 * The callers that a route is for. `caller`: all, or those with a key where that is required; `member`: those with a key;
 * `admin`: an admin's key or session; `metrics`: a scraper.
 */
export type Access = 'public' | 'caller' | 'member' | 'admin' | 'metrics'
/** The callers that a POST alone is for. `sign-in`: an admin, whose refusal is recorded. */
type PostAccess = 'sign-in'

/** What `serve` needs of the gateway. */
export type ServeDeps = Readonly<{
  clock: Clock
  activeRequests: ActiveRequests
  cors: Cors
  /** Headers of every response. */
  headers: Readonly<Record<string, string>>
  cookies: CookieNames
  access: AccessRules
  /** Admits a request and identifies its caller. Rejects with a GatewayError. */
  admission: Readonly<Record<Exclude<Access, 'public'> | PostAccess, Handler<RequestContext, RequestContext>>>
  idempotency: Idempotency
  /** Reports how a request ended. Never rejects. */
  onEnd: (context: RequestContext, end: RequestEnd) => Promise<void>
}>

/** The arguments of a route's handler. */
export type Exchange<G> = Readonly<{
  request: Request
  /** The request's context; it has a caller where the route's `access` requires one. */
  context: RequestContext
  params: Readonly<Record<string, string | readonly string[]>>
  gateway: G
  /** Aborts all work for this request. */
  abort: (reason: GatewayError) => void
  /** Lets this request continue after its client disconnects, until its response has `ended`. */
  surviveDisconnect: () => void
}>

export type RouteOptions = Readonly<{
  /** The route's pattern, for the log. */
  route: string
  surface: Surface
  /** The surface of POST, where it differs from that of the other methods. */
  postSurface?: Surface
  access: Access
  /** The access of POST, where it differs from that of the other methods. */
  postAccess?: PostAccess
  /** A request that is refused before its call is made does not count against the rate limits. */
  refusedIsFree?: true
  /** Its POST heeds an `Idempotency-Key`. `without-body`: and reads no body. */
  idempotent?: true | 'without-body'
  /** Whether its methods other than GET change or spend anything: pages of other sites may then not call them. */
  changes: boolean
  /** Served under any Host header: health checks may use any name. */
  anyHost?: true
  /** Polled by machines: served until the end, and kept out of the log. */
  probe?: true
  /** Served as long as the process runs. */
  servedWhileClosing?: true
}>
export type Handlers<G> = { readonly [M in Method]?: (exchange: Exchange<G>) => Promise<RouteResponse> }
/** The exports of a `route.ts`, one for each method. */
export type RouteHandler = (
  request: Request,
  context: { params: Promise<Record<string, string | string[]>> },
) => Promise<Response>

const arrive = (
  request: Request,
  deps: ServeDeps,
  { route, surface, postSurface }: RouteOptions,
  method: Method,
  open: ActiveRequest,
): RequestContext => ({
  route,
  surface: method === 'POST' ? (postSurface ?? surface) : surface,
  requestId: requestIdOf(request),
  client: { address: 'unknown' },
  caller: { kind: 'anonymous', address: 'unknown' },
  signal: open.signal,
  traceparent: traceparentOf(request),
  startedAt: deps.clock.now(),
  journal: newJournal(),
})

const identified = (context: RequestContext, request: Request, deps: ServeDeps): RequestContext => {
  const client = clientInfoOf(request, deps.access, deps.cookies)
  return { ...context, client, caller: { kind: 'anonymous', address: client.address } }
}

const preflight = (request: Request, deps: ServeDeps, methods: string): RouteResponse => ({
  status: 204,
  headers: { allow: methods, ...deps.cors.preflight(request.headers.get('origin'), methods) },
})

const refuseMethod = (method: string, methods: string): never => {
  throw new GatewayError(
    'METHOD_NOT_ALLOWED',
    `Method ${method} is not allowed for this URL; use ${methods}.`,
  )
}

/** The methods of a route, as its Allow header lists them: HEAD is served wherever GET is. */
const methodsOf = <G>(handlers: Handlers<G>): string =>
  METHODS.filter(method => handlers[method] || method === 'OPTIONS')
    .flatMap(method => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ')

/** Checks the origin of a request, before its caller is identified. Throws FORBIDDEN. */
const assertAllowedSource = (
  request: Request,
  method: Method,
  deps: ServeDeps,
  options: RouteOptions,
): void => {
  if (!options.anyHost) assertAllowedHost(request, deps.access)
  if (options.changes && !SAFE.includes(method)) assertSameSite(request, deps.access)
}

/** Serves an admitted request. One that is refused for free gets back what it took of the caller's limits. */
const servedBy = async <G>(
  handler: (exchange: Exchange<G>) => Promise<RouteResponse>,
  exchange: Exchange<G>,
  { refusedIsFree }: RouteOptions,
): Promise<RouteResponse> => {
  if (!refusedIsFree) return handler(exchange)
  try {
    return await handler(exchange)
  } catch (thrown) {
    // A client that leaves was not refused.
    if (toGatewayError(thrown).code !== 'CLIENT_GONE') await exchange.context.reservation?.release()
    throw thrown
  }
}

/**
 * Turns a route's handlers into the exports of `route.ts`: every request is opened and closed, every failure becomes
 * the error body, every response gets the common headers, and every end is reported once.
 */
export const serving =
  <G extends ServeDeps>(gateway: () => Promise<G>) =>
  (options: RouteOptions, handlers: Handlers<G>): Record<Method, RouteHandler> => {
    let built: G | undefined
    const methods = methodsOf(handlers)

    const handle = async (
      method: Method,
      sent: string,
      exchange: Exchange<G>,
      deps: ServeDeps,
    ): Promise<RouteResponse> => {
      if (deps.activeRequests.isClosed && !options.probe && !options.servedWhileClosing)
        throw new GatewayError('SHUTTING_DOWN')
      assertAllowedSource(exchange.request, method, deps, options)
      if (sent !== method) return refuseMethod(sent, methods)
      const handler = handlers[method]
      if (!handler)
        return method === 'OPTIONS'
          ? preflight(exchange.request, deps, methods)
          : refuseMethod(method, methods)
      const context = identified(exchange.context, exchange.request, deps)
      const access = (method === 'POST' && options.postAccess) || options.access
      const admittedContext = access === 'public' ? context : await deps.admission[access](context)
      const run = () => servedBy(handler, { ...exchange, context: admittedContext }, options)
      const { request } = exchange
      const key = options.idempotent && method === 'POST' ? request.headers.get('idempotency-key') : null
      if (key === null) return run()
      const hasBody = options.idempotent !== 'without-body'
      return idempotently({ request, key, context: admittedContext, hasBody, run }, deps.idempotency)
    }

    const respond =
      (method: Method): RouteHandler =>
      async (request, { params }) => {
        built ??= await gateway()
        const deps = built
        const open = deps.activeRequests.open(request.signal)
        const context = arrive(request, deps, options, method, open)
        const sent = (method === 'OPTIONS' && unknownMethodOf(request)) || method
        let error: GatewayError | undefined
        let isUnread = false
        let response: RouteResponse
        try {
          const wait = options.probe ? undefined : turn()
          if (wait) await wait
          const { abort, surviveDisconnect } = open
          const exchange = { request, context, params: await params, gateway: deps, abort, surviveDisconnect }
          response = await handle(method, sent, exchange, deps)
        } catch (thrown) {
          error = toGatewayError(thrown)
          const namesVersion = request.headers.has('anthropic-version')
          response = errorResponse(error, context.requestId, options.route, namesVersion)
          if (error.code === 'METHOD_NOT_ALLOWED')
            response = { ...response, headers: { ...response.headers, allow: methods } }
          isUnread = drainBody(request, deps.clock)
        }
        const finish = () => {
          if (options.probe) return open.close()
          const requestEnd: RequestEnd = {
            method: sent === method ? method : OTHER_METHOD,
            status: response.status ?? 200,
            thrown: error,
            abortedBy: abortReasonOf(open.signal),
          }
          open.close(deps.onEnd(context, requestEnd))
        }
        if (response.ended) void response.ended.then(finish)
        else finish()
        return toResponse(response, {
          ...deps.headers,
          ...transportSecurity(request, deps.access),
          ...deps.cors.headers(request.headers.get('origin')),
          ...contextHeaders(context, deps.clock.now(), error),
          ...((isUnread || deps.activeRequests.isClosed) && { connection: 'close' }),
        })
      }

    return Object.fromEntries(METHODS.map(method => [method, respond(method)])) as Record<
      Method,
      RouteHandler
    >
  }

const abortReasonOf = ({ aborted, reason }: AbortSignal): GatewayError | undefined =>
  aborted ? toGatewayError(reason) : undefined
