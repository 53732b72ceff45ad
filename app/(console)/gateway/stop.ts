/** Ends an answer at the gateway, and resolves with all of its text; with nothing where that cannot be had. */
export async function stopAnswer(streamId: string): Promise<string | undefined> {
  // Stopping may be the last thing that somebody does here.
  const response = await fetch(`/api/chat/${streamId}/stop`, { method: 'POST', keepalive: true }).catch(
    () => undefined,
  )
  if (!response?.ok) return undefined
  const fields = (await response.json().catch(() => undefined)) as { content?: unknown } | undefined
  return typeof fields?.content === 'string' ? fields.content : undefined
}
