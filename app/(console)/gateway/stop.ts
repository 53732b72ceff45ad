/** Ends an answer at the gateway, and resolves with all of its text; with undefined where that fails. */
export async function stopAnswer(streamId: string): Promise<string | undefined> {
  // The page may close right after stopping.
  const response = await fetch(`/api/chat/${streamId}/stop`, { method: 'POST', keepalive: true }).catch(
    () => undefined,
  )
  if (!response?.ok) return undefined
  const fields = (await response.json().catch(() => undefined)) as { content?: unknown } | undefined
  return typeof fields?.content === 'string' ? fields.content : undefined
}
