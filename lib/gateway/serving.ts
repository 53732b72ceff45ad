import type { AuditService } from '../audit/service.ts'
import { ADMIN_COOKIES } from '../auth/admin-session.ts'
import { SESSION_COOKIE } from '../auth/session.ts'
import { assertToken } from '../auth/token.ts'
import type { Environment } from '../config/schema.ts'
import { type AccessRules, accessRules } from '../http/access-rules.ts'
import { Cors } from '../http/cross-origin.ts'
import { apiHeaders, strictTransportSecurity } from '../http/security-headers.ts'
import type { ServeDeps } from '../http/serve.ts'
import { reportRequest } from '../observability/request-record.ts'
import { signInAdmission } from './audit.ts'
import { buildIdempotency } from './idempotency.ts'
import type { CurrentConfig } from './live-config.ts'
import type { Runtime } from './runtime.ts'

export const accessRulesOf = (env: Environment): AccessRules =>
  accessRules({
    allowedHosts: env.ALLOWED_HOSTS,
    allowedOrigins: env.ALLOWED_ORIGINS,
    publicUrl: env.PUBLIC_URL,
    trustedProxyHops: env.TRUSTED_PROXY_HOPS,
    strictTransportSecurity:
      env.NODE_ENV === 'production' ? strictTransportSecurity(env.HSTS_PRELOAD) : undefined,
  })

/**
 * Metrics are for those with their token; where there is none, for all, and for admins alone once there are keys.
 * A scrape must not fail because of wrong tokens from the same proxy.
 */
const scraperAdmission =
  ({ env, keys, metricsGuesses }: Runtime, current: CurrentConfig): ServeDeps['admission']['metrics'] =>
  async context => {
    const { METRICS_TOKEN: token } = env
    if (token !== undefined) assertToken({ token, guesses: metricsGuesses }, context.client)
    else if (await keys.verifier.any()) return current.now.admitAdmin(context)
    return context
  }

type ServeWiringDeps = Readonly<{
  runtime: Runtime
  current: CurrentConfig
  access: AccessRules
  audit: AuditService
}>

/** What every route needs. */
export const serveDepsOf = ({ runtime, current, access, audit }: ServeWiringDeps): ServeDeps => ({
  clock: runtime.clock,
  activeRequests: runtime.activeRequests,
  cors: new Cors(access.allowedOrigins),
  headers: apiHeaders(),
  cookies: { session: SESSION_COOKIE, admin: ADMIN_COOKIES },
  access,
  admission: {
    caller: context => current.now.admit(context),
    member: context => current.now.admitMember(context),
    admin: context => current.now.admitAdmin(context),
    'sign-in': signInAdmission(context => current.now.admitAdmin(context), audit, runtime),
    metrics: scraperAdmission(runtime, current),
  },
  idempotency: buildIdempotency(runtime),
  onEnd: reportRequest(runtime),
})
