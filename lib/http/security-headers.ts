/** What every reply carries, page or API. HSTS only in production, where TLS stands in front. */
export const commonSecurityHeaders = ({ production }: { production: boolean }): Record<string, string> => ({
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()',
  'cross-origin-opener-policy': 'same-origin',
  ...(production && { 'strict-transport-security': 'max-age=63072000; includeSubDomains; preload' }),
})

/** What every API reply carries: it is data, and nobody's to keep. */
export const apiHeaders = ({ production }: { production: boolean }): Record<string, string> => ({
  ...commonSecurityHeaders({ production }),
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
})
