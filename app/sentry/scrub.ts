import type { Breadcrumb, BreadcrumbHint, ErrorEvent } from '@sentry/nextjs'

const KEPT = [
  'event_id',
  'timestamp',
  'level',
  'platform',
  'release',
  'environment',
  'sdk',
  'exception',
  'debug_meta',
]

/**
 * The data that may leave the browser in an error report. An allow-list: prompts, answers, cookies, headers, query
 * strings and bodies are dropped because they are not on it.
 */
export function scrubEvent(event: ErrorEvent): ErrorEvent {
  const kept = Object.fromEntries(Object.entries(event).filter(([name]) => KEPT.includes(name)))
  return {
    ...kept,
    type: undefined,
    request: { url: pathOf(event.request?.url) },
    breadcrumbs: event.breadcrumbs ?? [],
  }
}

/** Keeps which of our routes was called, how it ended and its request id; every other breadcrumb is dropped. */
export function scrubBreadcrumb(breadcrumb: Breadcrumb, hint?: BreadcrumbHint): Breadcrumb | null {
  if (breadcrumb.category !== 'fetch') return null
  const { data, ...rest } = breadcrumb
  const requestId = (hint?.response as Response | undefined)?.headers.get('x-request-id')
  return {
    ...rest,
    data: {
      method: data?.method,
      url: pathOf(data?.url),
      status_code: data?.status_code,
      ...(requestId && { 'x-request-id': requestId }),
    },
  }
}

function pathOf(url: unknown): string {
  const base = 'https://parley.invalid'
  return typeof url === 'string' && URL.canParse(url, base) ? new URL(url, base).pathname : ''
}
