import type { Environment } from '../config/schema.ts'
import type { AccessRules } from '../http/access-rules.ts'
import { strictTransportSecurity } from '../http/security-headers.ts'
import { parseHost } from '../validation/host-name.ts'

const publicUrlOf = (text: string | undefined): AccessRules['publicUrl'] => {
  if (text === undefined) return undefined
  const { origin, host } = new URL(text)
  return { origin, host: parseHost(host)?.name }
}

/** The access rules that the environment sets. */
export const accessRulesOf = (env: Environment): AccessRules => ({
  allowedHosts: env.ALLOWED_HOSTS && new Set(env.ALLOWED_HOSTS),
  allowedOrigins: new Set(env.ALLOWED_ORIGINS),
  publicUrl: publicUrlOf(env.PUBLIC_URL),
  trustedProxyHops: env.TRUSTED_PROXY_HOPS,
  strictTransportSecurity:
    env.NODE_ENV === 'production' ? strictTransportSecurity(env.HSTS_PRELOAD) : undefined,
})
