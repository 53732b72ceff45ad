import { useCallback, useEffect, useState } from 'react'
import type { Failure } from '../../gateway/wire.ts'
import { currentSession, type Session, signIn, signOut } from './session.ts'

const ENDED = 'Your session has ended. Sign in again.'
const SIGNED_OUT = 'You are signed out.'

/** Whether an admin is signed in, and the ways in and out. */
export function useAdminSession() {
  const [session, setSession] = useState<Session>({ state: 'checking' })

  const check = useCallback(async () => {
    setSession({ state: 'checking' })
    setSession(await currentSession())
  }, [])
  useEffect(() => void check(), [check])

  const end = useCallback(() => setSession({ state: 'signed-out', notice: ENDED }), [])

  const enter = useCallback(async (credential: string): Promise<Failure | undefined> => {
    const { value, failure } = await signIn(credential)
    if (value) setSession({ state: 'signed-in', admin: value })
    return failure
  }, [])

  const leave = useCallback(async (): Promise<Failure | undefined> => {
    const failure = await signOut()
    if (!failure) setSession({ state: 'signed-out', notice: SIGNED_OUT })
    return failure
  }, [])

  return { session, check, end, enter, leave }
}
