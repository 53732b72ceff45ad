import { describe, expect, it } from 'vitest'
import { scrubBreadcrumb, scrubEvent } from '../../app/sentry/scrub.ts'

describe('what an error report may hold', () => {
  it('is the error and the path, nothing said or known about the user', () => {
    const event = scrubEvent({
      type: undefined,
      event_id: 'e1',
      exception: { values: [{ type: 'Error', value: 'broken' }] },
      request: {
        url: 'https://parley.example/?q=secret#secret',
        data: 'secret',
        cookies: { session: 'secret' },
        headers: { authorization: 'secret' },
        query_string: 'q=secret',
      },
      user: { ip_address: 'secret' },
      extra: { prompt: 'secret' },
      contexts: { state: { state: { type: 'x', value: { prompt: 'secret' } } } },
    })
    expect(event.exception?.values?.[0]?.value).toBe('broken')
    expect(event.request).toEqual({ url: '/' })
    expect(JSON.stringify(event)).not.toContain('secret')
  })

  it('is, of what led there, which routes were called, how they ended, and their request ids', () => {
    const response = new Response(null, { headers: { 'x-request-id': 'r1' } })
    const data = { method: 'POST', url: '/api/chat?key=secret', status_code: 500, body: 'secret' }
    expect(scrubBreadcrumb({ category: 'fetch', data }, { response })).toEqual({
      category: 'fetch',
      data: { method: 'POST', url: '/api/chat', status_code: 500, 'x-request-id': 'r1' },
    })
    expect(scrubBreadcrumb({ category: 'ui.click', message: 'secret' })).toBeNull()
    expect(scrubBreadcrumb({ category: 'console', message: 'secret' })).toBeNull()
  })
})
