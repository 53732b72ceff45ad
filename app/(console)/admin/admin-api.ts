import { createContext, use, useMemo } from 'react'
import { call, type Result } from '../gateway/call.ts'

const UNAUTHENTICATED = 401

export type AdminApi = {
  /** Calls the admin API. An ended session leads back to the sign-in form. Never throws. */
  call: <Value>(path: string, init?: RequestInit) => Promise<Result<Value>>
  send: <Value>(method: string, path: string, body: unknown) => Promise<Result<Value>>
  /** Lets screen readers read a message out. */
  announce: (message: string) => void
}

type AdminApiOptions = { onEnded: () => void; announce: AdminApi['announce'] }

/** The admin API of one session. Both callbacks must be stable. */
export function useNewAdminApi({ onEnded, announce }: AdminApiOptions): AdminApi {
  return useMemo(() => {
    const callOrEnd: AdminApi['call'] = async <Value>(path: string, init?: RequestInit) => {
      const result = await call<Value>(path, init)
      if (result.failure?.status === UNAUTHENTICATED) onEnded()
      return result
    }
    return {
      announce,
      call: callOrEnd,
      send: (method, path, body) =>
        callOrEnd(path, {
          method,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
    }
  }, [onEnded, announce])
}

export const AdminApiContext = createContext<AdminApi | undefined>(undefined)

/** The admin API of the signed-in admin. */
export function useAdminApi(): AdminApi {
  const api = use(AdminApiContext)
  if (!api) throw new Error('There is no AdminApiContext around this component.')
  return api
}
