/** Headers of every response, page or API. */
export const commonSecurityHeaders = (): Record<string, string> => ({
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()',
  'cross-origin-opener-policy': 'same-origin',
})

/** Headers of every API response: it is data that must not be cached. */
export const apiHeaders = (): Record<string, string> => ({
  ...commonSecurityHeaders(),
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
})

const TWO_YEARS_SECONDS = 63_072_000

/** @param preload asks browsers to ship the host in their lists (hstspreload.org), which is slow to undo */
export const strictTransportSecurity = (preload: boolean): string =>
  `max-age=${TWO_YEARS_SECONDS}; includeSubDomains${preload ? '; preload' : ''}`
