import { call, type Result } from '../../gateway/call.ts'
import { failureOf, unreachable } from '../../gateway/failure.ts'
import type { Failure } from '../../gateway/wire.ts'
import type { Admin } from '../wire.ts'

const PATH = '/api/admin/session'
const UNAUTHENTICATED = 401
const FORBIDDEN = 403

export type Session =
  | { state: 'checking' }
  | { state: 'failed'; failure: Failure }
  /** The gateway has neither an admin token nor a key. */
  | { state: 'switched-off'; message: string }
  | { state: 'signed-out'; notice?: string }
  | { state: 'signed-in'; admin: Admin }

/** The session that the browser's cookie belongs to. */
export async function currentSession(): Promise<Session> {
  return sessionFrom(await call<Admin>(PATH))
}

function sessionFrom({ value, failure }: Result<Admin>): Session {
  if (value) return { state: 'signed-in', admin: value }
  if (failure.status === UNAUTHENTICATED) return { state: 'signed-out' }
  if (failure.status === FORBIDDEN) return { state: 'switched-off', message: failure.message }
  return { state: 'failed', failure }
}

/** What a header can carry. */
const CREDENTIAL = /^[\x21-\x7e]+$/

/** Signs in with the admin token or an admin's key. It goes into a header and is kept nowhere. */
export async function signIn(credential: string): Promise<Result<Admin>> {
  if (!CREDENTIAL.test(credential)) return { failure: wrongCredential }
  const headers = { authorization: `Bearer ${credential}` }
  const result = await call<Admin>(PATH, { method: 'POST', headers })
  return result.failure?.status === UNAUTHENTICATED ? { failure: wrongCredential } : result
}

const wrongCredential: Failure = {
  code: 'UNAUTHENTICATED',
  message: 'This is neither the admin token nor a valid key. Check it and try again.',
  retryable: false,
  status: UNAUTHENTICATED,
}

/** Signs out. A session that has ended already is no failure. */
export async function signOut(): Promise<Failure | undefined> {
  const response = await fetch(PATH, { method: 'DELETE' }).catch(() => undefined)
  if (!response) return unreachable(navigator.onLine)
  return response.ok || response.status === UNAUTHENTICATED ? undefined : failureOf(response)
}
