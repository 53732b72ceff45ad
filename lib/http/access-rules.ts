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
