import { SESSION_COOKIE, SESSION_SECONDS } from '#lib/auth/session.ts'
import { serve } from '#lib/gateway/index.ts'
import { isCrossSite, isSecurePage } from '#lib/http/cross-site.ts'

/**
 * Makes the web page's visitor a guest, who stays the same when asked for again. From another site's page the
 * cookie that the visitor may have does not come along, so that a new one would replace it: there is none for it.
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
