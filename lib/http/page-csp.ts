export type PageCspOptions = {
  /** New for every request; also set on the request, where Next reads it. */
  nonce: string
  /** `next dev` evaluates code, injects styles and keeps a web socket open. */
  development: boolean
  /** The browser may report to the origin of this DSN; absent or malformed, it may not. */
  sentryDsn?: string | undefined
}

/**
 * The Content-Security-Policy of pages: nothing but our own files and the scripts that carry this request's nonce.
 * Scripts may only be added through Trusted Types; the `default` policy in `app/head-script.ts` lets
 * nothing through but the build's own chunks.
 */
export function pageCsp({ nonce, development, sentryDsn }: PageCspOptions): string {
  const directives: Record<string, (string | false | undefined)[]> = {
    'default-src': ["'none'"],
    'script-src': ["'self'", `'nonce-${nonce}'`, "'strict-dynamic'", development && "'unsafe-eval'"],
    'style-src': development ? ["'self'", "'unsafe-inline'"] : ["'self'", `'nonce-${nonce}'`],
    'connect-src': ["'self'", development && 'ws:', originOf(sentryDsn)],
    'img-src': ["'self'", development && 'data:'],
    'font-src': ["'self'"],
    'manifest-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
    ...(!development && {
      'require-trusted-types-for': ["'script'"],
      'trusted-types': ['default', 'nextjs'],
    }),
  }
  return Object.entries(directives)
    .map(([name, values]) => `${name} ${values.filter(Boolean).join(' ')}`)
    .join('; ')
}

function originOf(dsn: string | undefined): string | undefined {
  return dsn && URL.canParse(dsn) ? new URL(dsn).origin : undefined
}
