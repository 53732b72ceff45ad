import type { Redact } from './redact.ts'
import { COLLECT_NOTHING } from './sentry-privacy.ts'

/** Called with every internal error. */
export type ErrorReporter = Readonly<{
  capture: (error: unknown, context: Readonly<{ requestId?: string; route: string }>) => void
  /** Sends pending reports. */
  flush: (timeoutMs: number) => Promise<unknown>
}>

export type ReportingOptions = Readonly<{ environment: string; release: string; redact: Redact }>

const SILENT: ErrorReporter = { capture: () => {}, flush: async () => {} }

type SentryModule = typeof import('@sentry/nextjs')
type SentryEvent = Parameters<NonNullable<NonNullable<Parameters<SentryModule['init']>[0]>['beforeSend']>>[0]

/** Keeps the parts of an event that describe our code, and nothing from a request. */
const filtered = (event: SentryEvent, redact: Redact): SentryEvent => {
  const { request: _request, user: _user, extra: _extra, server_name: _host, ...kept } = event
  for (const exception of kept.exception?.values ?? []) {
    if (exception.value) exception.value = redact(exception.value)
    for (const frame of exception.stacktrace?.frames ?? []) delete frame.vars
  }
  return kept as SentryEvent
}

/** The package is CommonJS, whose names plain Node sees only on the default export. */
const loadSentry = async (): Promise<SentryModule> => {
  const loaded = (await import('@sentry/nextjs')) as SentryModule & { default?: SentryModule }
  return loaded.default ?? loaded
}

/** Sentry where there is a DSN. Without one nothing is loaded. */
export const reportErrors = async (
  dsn: string | undefined,
  { environment, release, redact }: ReportingOptions,
): Promise<ErrorReporter> => {
  if (!dsn) return SILENT
  const Sentry = await loadSentry()
  Sentry.init({
    dsn,
    environment,
    release,
    dataCollection: COLLECT_NOTHING,
    tracesSampleRate: 0,
    integrations: integrations =>
      integrations.filter(({ name }) => !/^(Console|Http|NodeFetch|RequestData|LocalVariables)/.test(name)),
    beforeSend: event => filtered(event, redact) as typeof event,
  })
  return {
    capture: (error, { requestId, route }) => {
      Sentry.withScope(scope => {
        scope.setTag('route', route)
        if (requestId) scope.setTag('requestId', requestId)
        scope.addBreadcrumb({ category: 'request', message: route, data: { requestId } })
        Sentry.captureException(error)
      })
    },
    flush: timeoutMs => Sentry.flush(timeoutMs),
  }
}
