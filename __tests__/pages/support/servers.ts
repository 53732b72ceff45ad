export type Server = { url: string; env: Record<string, string> }

/** Failing models go on failing as themselves: a rest would make every test depend on those before it. */
const generous = {
  RATE_LIMIT_GUEST: '10000/1m',
  RATE_LIMIT_ANONYMOUS: '10000/1m',
  BREAKER_FAILURES: '1000',
}

/** The gateways the pages are tried against; all tests share one address, so most need generous limits. */
export const SERVERS = {
  open: { url: 'http://localhost:3210', env: generous },
  /** Answers two questions, then says to wait. Reports errors to an address that a test listens on in the browser. */
  strict: {
    url: 'http://localhost:3211',
    env: {
      RATE_LIMIT_GUEST: '2/20s',
      RATE_LIMIT_ANONYMOUS: '2/20s',
      SENTRY_DSN: 'http://public@localhost:3219/1',
    },
  },
} satisfies Record<string, Server>
