import { requestedBy } from '#lib/audit/service.ts'
import { ADMIN_COOKIES, ADMIN_SESSION_SECONDS } from '#lib/auth/admin-session.ts'
import { keyOf } from '#lib/auth/keys/acting.ts'
import { serve } from '#lib/gateway/index.ts'
import { isSecurePage } from '#lib/http/cross-origin.ts'

const SHARED = 'Path=/; HttpOnly; SameSite=Strict'
const [SECURE_COOKIE, PLAIN_COOKIE] = ADMIN_COOKIES

/**
 * The session of an admin in the console: signing in with the admin token or an admin's key, and signing out. Pages of
 * other sites can do neither: their requests carry no cookie, and are refused without a key.
 */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/session', surface: 'api', access: 'admin', postAccess: 'sign-in', changes: true },
  {
    GET: async ({ context }) => {
      const { id, name, role } = keyOf(context.caller)
      return { json: { id, name, role } }
    },
    POST: async ({ request, context, gateway }) => {
      const key = keyOf(context.caller)
      await gateway.audit.append({ ...requestedBy(context), action: 'session.sign-in', object: key.id })
      const session = gateway.keys.adminSessions.begin(key, context.client)
      const cookie = isSecurePage(request, gateway.access)
        ? `${SECURE_COOKIE}=${session}; ${SHARED}; Secure`
        : `${PLAIN_COOKIE}=${session}; ${SHARED}`
      return {
        status: 201,
        json: { id: key.id, name: key.name, role: key.role, expiresInSeconds: ADMIN_SESSION_SECONDS },
        headers: { 'set-cookie': `${cookie}; Max-Age=${ADMIN_SESSION_SECONDS}` },
      }
    },
    DELETE: async ({ request, context, gateway }) => {
      const { id } = keyOf(context.caller)
      await gateway.audit.append({ ...requestedBy(context), action: 'session.sign-out', object: id })
      const { adminSession } = context.client
      if (adminSession !== undefined) await gateway.keys.adminSessions.end(adminSession)
      const ended = isSecurePage(request, gateway.access)
        ? `${SECURE_COOKIE}=; ${SHARED}; Secure; Max-Age=0`
        : `${PLAIN_COOKIE}=; ${SHARED}; Max-Age=0`
      return { status: 204, headers: { 'set-cookie': ended } }
    },
  },
)
