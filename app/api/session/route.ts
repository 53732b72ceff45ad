import { SESSION_COOKIE, SESSION_SECONDS } from '#lib/auth/session.ts'
import { serve } from '#lib/gateway/index.ts'

/** Makes the web page's visitor a guest. Same site only: the cookie is never sent from elsewhere. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/session', surface: 'rest' },
  {
    POST: async ({ request, visit, gateway }) => {
      const { caller } = await gateway.admit(visit)
      if (caller.kind === 'guest') return { status: 204 }
      const secure = request.headers.get('origin')?.startsWith('https:') ? '; Secure' : ''
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
