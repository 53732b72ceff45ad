import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { newJournal, type RequestContext, type Surface } from '../request-context.ts'
import type { AccessRules } from './access-rules.ts'
import type { ActiveRequest, ActiveRequests } from './active-requests.ts'
import { assertAllowedHost } from './allowed-host.ts'
import { clientInfoOf, requestIdOf } from './arrive.ts'
import { drainBody } from './body.ts'
import { contextHeaders } from './context-headers.ts'
import type { Cors } from './cors.ts'
import { assertSameSite } from './cross-site.ts'
import { errorResponse } from './error-response.ts'
import { type RouteResponse, toResponse } from './route-response.ts'
import { transportSecurity } from './transport.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
export type Method = (typeof METHODS)[number]
/** Methods that change nothing, whatever the route. Source: RFC 9110, 9.2.1. */
const SAFE: readonly Method[] = ['GET', 'OPTIONS']

/** How a visit ended, as told to whoever keeps the log. */
export type RequestEnd = Readonly<{
  method: string
  status: number
  /** What it was refused with, or failed with before its answer had begun. */
  thrown: GatewayError | undefined
  /** Why it was broken off, where it was. */
  left: GatewayError | undefined
}>

/**
 * Who may use a route. `public`: everybody, without a limit; `caller`: whoever authenticates as the gateway requires,
 * within the limits of the route's surface; `admin`: with the admin token; `metrics`: with the token for metrics.
 */
export type Access = 'public' | 'caller' | 'admin' | 'metrics'

/** What `serve` needs of the gateway behind it. */
export type ServeDeps = Readonly<{
  clock: Clock
  activeRequests: ActiveRequests
  cors: Cors
  /** Headers of every answer. */
  headers: Readonly<Record<string, string>>
  sessionCookie: string
  access: AccessRules
  /** Lets a request in; what comes back knows its caller. Rejects with a GatewayError. */
  admission: Readonly<Record<Exclude<Access, 'public'>, Handler<RequestContext, RequestContext>>>
  /** True once new visits are turned away. */
  closed: () => boolean
  /** Writes down how a request ended. Never rejects. */
  onEnd: (context: RequestContext, end: RequestEnd) => Promise<void>
}>

/** All that a route's handler is given. */
export type Exchange<G> = Readonly<{
  request: Request
  /** With its caller, where the route's `access` asks for one. */
  context: RequestContext
  params: Readonly<Record<string, string | readonly string[]>>
  gateway: G
  /** Breaks off everything done for this visit. */
  abort: (reason: GatewayError) => void
  /** Lets this visit go on when its client has gone, until its answer has `ended`. */
  surviveDisconnect: () => void
}>

export type RouteOptions = Readonly<{
  /** The route's pattern, for the log. */
  route: string
  surface: Surface
  access: Access
  /** The chat pipeline authenticates and limits its calls itself, once their body is read. */
  admittedBy?: 'pipeline'
  /** Whether its methods other than GET change or spend anything: pages of other sites may then not call them. */
  changes: boolean
  /** Answered whatever the Host header says: health checks come under any name. */
  anyHost?: true
  /** Asked by machines, again and again: answered to the last, and kept out of the log. */
  probe?: true
  /** Answered as long as the process lives. */
  servedWhileClosing?: true
}>
export type Handlers<G> = { readonly [M in Method]?: (exchange: Exchange<G>) => Promise<RouteResponse> }
/** What a `route.ts` exports, once for each method. */
export type RouteHandler = (
  request: Request,
  context: { params: Promise<Record<string, string | string[]>> },
) => Promise<Response>

const arrive = (
  request: Request,
  deps: ServeDeps,
  { route, surface }: RouteOptions,
  open: ActiveRequest,
): RequestContext => ({
  route,
  surface,
  requestId: requestIdOf(request),
  client: { address: 'unknown' },
  caller: { kind: 'anonymous', address: 'unknown' },
  signal: open.signal,
  startedAt: deps.clock.now(),
  journal: newJournal(),
})

const identified = (context: RequestContext, request: Request, deps: ServeDeps): RequestContext => {
  const client = clientInfoOf(request, deps.access, deps.sessionCookie)
  return { ...context, client, caller: { kind: 'anonymous', address: client.address } }
}

const preflight = (request: Request, deps: ServeDeps, methods: string): RouteResponse => ({
  status: 204,
  headers: { allow: methods, ...deps.cors.preflight(request.headers.get('origin'), methods) },
})

const refuseMethod = (method: Method, methods: string): never => {
  throw new GatewayError('METHOD_NOT_ALLOWED', `This address takes ${methods}, not ${method}.`)
}

/** Judges where a request comes from, before anyone asks who sent it. Throws FORBIDDEN. */
const assertAllowedSource = (
  request: Request,
  method: Method,
  deps: ServeDeps,
  options: RouteOptions,
): void => {
  if (!options.anyHost) assertAllowedHost(request, deps.access)
  if (options.changes && !SAFE.includes(method)) assertSameSite(request, deps.access)
}

/** Lets a request in as its route declares; nothing where there is nothing to ask. */
const admitted = (
  context: RequestContext,
  deps: ServeDeps,
  { access, admittedBy }: RouteOptions,
): Promise<RequestContext> | undefined =>
  access === 'public' || admittedBy === 'pipeline' ? undefined : deps.admission[access](context)

/**
 * Makes a route's handlers into what `route.ts` exports: every visit is opened and closed, every failure
 * becomes the error body, every answer gets the headers of CONTRACT.md, and every end is told once.
 */
export const serving =
  <G extends ServeDeps>(gateway: () => Promise<G>) =>
  (options: RouteOptions, handlers: Handlers<G>): Record<Method, RouteHandler> => {
    const methods = METHODS.filter(method => handlers[method] || method === 'OPTIONS').join(', ')

    const handle = async (method: Method, exchange: Exchange<G>, deps: ServeDeps): Promise<RouteResponse> => {
      if (deps.closed() && !options.probe && !options.servedWhileClosing)
        throw new GatewayError('SHUTTING_DOWN')
      assertAllowedSource(exchange.request, method, deps, options)
      const handler = handlers[method]
      if (!handler)
        return method === 'OPTIONS'
          ? preflight(exchange.request, deps, methods)
          : refuseMethod(method, methods)
      const context = identified(exchange.context, exchange.request, deps)
      const admission = admitted(context, deps, options)
      return handler({ ...exchange, context: admission ? await admission : context })
    }

    const respond =
      (method: Method): RouteHandler =>
      async (request, { params }) => {
        const deps = await gateway()
        const open = deps.activeRequests.open(request.signal)
        const context = arrive(request, deps, options, open)
        let error: GatewayError | undefined
        let response: RouteResponse
        try {
          const wait = options.probe ? undefined : turn()
          if (wait) await wait
          const { abort, surviveDisconnect } = open
          const exchange = { request, context, params: await params, gateway: deps, abort, surviveDisconnect }
          response = await handle(method, exchange, deps)
        } catch (thrown) {
          error = toGatewayError(thrown)
          response = errorResponse(error, context.requestId)
          if (error.code === 'METHOD_NOT_ALLOWED')
            response = { ...response, headers: { ...response.headers, allow: methods } }
          if (error.code === 'PAYLOAD_TOO_LARGE' || options.surface === 'upload')
            drainBody(request, deps.clock)
        }
        const end = () => {
          if (options.probe) return open.close()
          const status = response.status ?? 200
          open.close(deps.onEnd(context, { method, status, thrown: error, left: leftBy(open.signal) }))
        }
        if (response.ended) void response.ended.then(end)
        else end()
        return toResponse(response, {
          ...deps.headers,
          ...transportSecurity(request, deps.access),
          ...deps.cors.headers(request.headers.get('origin')),
          ...contextHeaders(context, deps.clock.now()),
          ...(deps.closed() && { connection: 'close' }),
        })
      }

    return Object.fromEntries(METHODS.map(method => [method, respond(method)])) as Record<
      Method,
      RouteHandler
    >
  }

const leftBy = ({ aborted, reason }: AbortSignal): GatewayError | undefined =>
  aborted ? toGatewayError(reason) : undefined
