import { parseHost } from '../validation/host-name.ts'

/** The configured rules for hosts, origins and proxies. */
export type AccessRules = Readonly<{
  /** Names as `parseListedHost` gives them; undefined where the list is not set. */
  allowedHosts?: ReadonlySet<string> | undefined
  allowedOrigins: ReadonlySet<string>
  /** The URL under which browsers reach the gateway. */
  publicUrl?: Readonly<{ origin: string; host: string | undefined }> | undefined
  trustedProxyHops: number
  /** Value of the header on responses over https; undefined where it is not sent at all. */
  strictTransportSecurity?: string | undefined
}>

/** The settings of the rules. */
export type AccessSettings = Readonly<{
  allowedHosts: readonly string[] | undefined
  allowedOrigins: readonly string[]
  /** A valid URL. */
  publicUrl: string | undefined
  trustedProxyHops: number
  strictTransportSecurity: string | undefined
}>

const publicUrlOf = (text: string | undefined): AccessRules['publicUrl'] => {
  if (text === undefined) return undefined
  const { origin, host } = new URL(text)
  return { origin, host: parseHost(host)?.name }
}

export const accessRules = (settings: AccessSettings): AccessRules => ({
  ...settings,
  allowedHosts: settings.allowedHosts && new Set(settings.allowedHosts),
  allowedOrigins: new Set(settings.allowedOrigins),
  publicUrl: publicUrlOf(settings.publicUrl),
})

const SLOT = Symbol.for('parley.access-rules')
const slot = globalThis as { [SLOT]?: AccessRules }

/** Makes the rules known to the pages' middleware, which Next compiles separately. */
export const publishAccessRules = (rules: AccessRules): void => {
  slot[SLOT] = rules
}

/** @throws Error before the gateway has started */
export const publishedAccessRules = (): AccessRules => {
  const rules = slot[SLOT]
  if (!rules) throw new Error('The gateway has not been started.')
  return rules
}
