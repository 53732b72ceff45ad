import { type NextRequest, NextResponse } from 'next/server'
import { pageCsp } from '#lib/http/page-csp.ts'
import { commonSecurityHeaders } from '#lib/http/security-headers.ts'

export const config = {
  runtime: 'nodejs',
  matcher: ['/((?!api$|api/|v1$|v1/|metrics$|_next/static/|favicon\\.ico$|icon\\.svg$).*)'],
}

/** Security headers for pages. Stateless; decides about nobody: who may do what is settled in `lib/auth`. */
export function middleware(request: NextRequest): NextResponse {
  const nonce = newNonce()
  const csp = pageCsp({
    nonce,
    development: process.env.NODE_ENV === 'development',
    sentryDsn: process.env.SENTRY_DSN,
  })

  const response = NextResponse.next({ request: { headers: withNonce(request.headers, nonce, csp) } })
  for (const [name, value] of Object.entries(pageHeaders(csp))) response.headers.set(name, value)
  return response
}

/** Next reads the nonce from the request's policy, so whatever a client sent there is overwritten. */
function withNonce(incoming: Headers, nonce: string, csp: string): Headers {
  const headers = new Headers(incoming)
  headers.set('content-security-policy', csp)
  headers.delete('content-security-policy-report-only')
  headers.set('x-nonce', nonce)
  return headers
}

function pageHeaders(csp: string): Record<string, string> {
  return {
    ...commonSecurityHeaders({ production: process.env.NODE_ENV === 'production' }),
    'content-security-policy': csp,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  }
}

function newNonce(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
}
