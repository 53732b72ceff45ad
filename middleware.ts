import { type NextRequest, NextResponse } from 'next/server'
import { toGatewayError } from '#lib/errors.ts'
import { type AccessRules, publishedAccessRules } from '#lib/http/access-rules.ts'
import { assertAllowedHost } from '#lib/http/cross-origin.ts'
import { errorBody } from '#lib/http/error-response.ts'
import { pageCsp } from '#lib/http/page-csp.ts'
import { apiHeaders, commonSecurityHeaders } from '#lib/http/security-headers.ts'
import { transportSecurity } from '#lib/http/transport.ts'

export const config = {
  runtime: 'nodejs',
  matcher: ['/((?!api$|api/|v1$|v1/|metrics$|openapi\\.json$|_next/static/|favicon\\.ico$|icon\\.svg$).*)'],
}

/** Security headers for pages, and the check of the Host header. Authentication is in `lib/auth`. */
export function middleware(request: NextRequest): NextResponse {
  const rules = publishedAccessRules()
  const rejection = hostRejection(request, rules)
  if (rejection) return rejection

  const nonce = newNonce()
  const csp = pageCsp({
    nonce,
    development: process.env.NODE_ENV === 'development',
    sentryDsn: process.env.SENTRY_DSN,
  })

  const response = NextResponse.next({ request: { headers: withNonce(request.headers, nonce, csp) } })
  const headers = { ...pageHeaders(csp), ...transportSecurity(request, rules) }
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
  return response
}

function hostRejection(request: NextRequest, rules: AccessRules): NextResponse | undefined {
  try {
    assertAllowedHost(request, rules)
    return undefined
  } catch (thrown) {
    const error = toGatewayError(thrown)
    const headers = { ...apiHeaders(), ...transportSecurity(request, rules) }
    return NextResponse.json(errorBody(error, crypto.randomUUID()), { status: error.status, headers })
  }
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
    ...commonSecurityHeaders(),
    'content-security-policy': csp,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  }
}

function newNonce(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
}
