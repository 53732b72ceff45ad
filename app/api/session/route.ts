import { SESSION_COOKIE, SESSION_SECONDS } from '#lib/auth/session.ts'
import { serve } from '#lib/gateway/index.ts'
import { isCrossSite, isSecurePage } from '#lib/http/cross-origin.ts'

/**
 * Makes the web page's user a guest, who stays the same on repeated requests. A request from another site's page
 * carries no cookie, so that a new one would replace an existing guest: it gets none.
 */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/session', surface: 'api', access: 'caller', changes: true },
  {
    POST: async ({ request, context, gateway }) => {
      if (context.caller.kind === 'guest' || isCrossSite(request, gateway.access)) return { status: 204 }
      const secure = isSecurePage(request, gateway.access) ? '; Secure' : ''
      const cookie = `${SESSION_COOKIE}=${gateway.issueSession()}`
      return {
        status: 204,
        headers: {
          'set-cookie': `${cookie}; Path=/; Max-Age=${SESSION_SECONDS}; HttpOnly; SameSite=Strict${secure}`,
        },
      }
    },
  },
)
