/** Waits, at most until the browser is online again or `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  return new Promise<void>(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => resolve(), { signal: over.signal })
    globalThis.addEventListener?.('online', () => resolve(), { signal: over.signal })
    over.signal.addEventListener('abort', () => clearTimeout(timer))
  }).finally(() => over.abort())
}
