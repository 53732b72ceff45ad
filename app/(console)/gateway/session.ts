let session: Promise<void> | undefined

/**
 * Requests the guest session that raises the chat limit; once per page load, and optional: without one the caller stays
 * anonymous.
 */
export function openSession(): Promise<void> {
  session ??= fetch('/api/session', { method: 'POST' }).then(
    () => undefined,
    () => undefined,
  )
  return session
}

/** Requests it again: nothing changes for a guest, and a lost or expired cookie is replaced. */
export function renewSession(): Promise<void> {
  session = undefined
  return openSession()
}

/** Waits for the session, but not for longer than `ms`. */
export async function sessionWithin(ms: number): Promise<void> {
  await Promise.race([openSession(), new Promise(resolve => setTimeout(resolve, ms))])
}
