/** Runs once when Next starts a server: faults of the configuration end it before it takes a request. */
export const register = async (): Promise<void> => {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { startUnderNext } = await import('#lib/process/under-next.ts')
  await startUnderNext()
}

/** Called by Next for errors while rendering a page. */
export const onRequestError = async (
  error: unknown,
  _request: unknown,
  { routePath }: { routePath: string },
): Promise<void> => {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { reportPageError } = await import('#lib/process/under-next.ts')
  await reportPageError(error, routePath)
}
