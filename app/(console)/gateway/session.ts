let session: Promise<void> | undefined

/**
 * Asks for the guest session that lifts the chat limit; once per page load, and only an improvement:
 * whoever does not get one goes on as anonymous.
 */
export function openSession(): Promise<void> {
  session ??= fetch('/api/session', { method: 'POST' }).then(
    () => undefined,
    () => undefined,
  )
  return session
}

/** Waits for the session, but not for longer than `ms`. */
export async function sessionWithin(ms: number): Promise<void> {
  await Promise.race([openSession(), new Promise(resolve => setTimeout(resolve, ms))])
}
