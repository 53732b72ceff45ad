import { describe, expect, it } from 'vitest'
import { pageCsp } from '#lib/http/page-csp.ts'

const inProduction = { nonce: 'abc', development: false }

describe('the policy of pages', () => {
  it('allows this view’s scripts and our own files, and nothing else', () => {
    expect(pageCsp(inProduction).split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self' 'nonce-abc' 'strict-dynamic'",
      "style-src 'self' 'nonce-abc'",
      "connect-src 'self'",
      "img-src 'self'",
      "font-src 'self'",
      "manifest-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types default nextjs',
    ])
  })

  it('lets the browser report to the origin of the DSN, where one is set', () => {
    const csp = pageCsp({ ...inProduction, sentryDsn: 'https://key@o1.ingest.example/42' })
    expect(csp).toContain("connect-src 'self' https://o1.ingest.example;")
  })

  it('is not opened by a DSN that is no URL', () => {
    expect(pageCsp({ ...inProduction, sentryDsn: "x; script-src 'unsafe-inline'" })).toBe(
      pageCsp(inProduction),
    )
  })

  it('lets the development server evaluate, style and keep its socket', () => {
    const csp = pageCsp({ nonce: 'abc', development: true })
    expect(csp).toContain("'unsafe-eval'")
    expect(csp).toContain("connect-src 'self' ws:")
  })
})
