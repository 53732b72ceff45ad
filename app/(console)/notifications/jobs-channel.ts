const CHANNEL = 'parley-batches'

let channel: BroadcastChannel | undefined

/** Notifies this browser's other pages that a batch has begun or ended. */
export function announceJobs(): void {
  if (!('BroadcastChannel' in globalThis)) return
  channel ??= new BroadcastChannel(CHANNEL)
  channel.postMessage('changed')
}

/** Calls back when another page of this browser says that a batch has begun or ended, until `signal` aborts. */
export function onJobsAnnounced(callback: () => void, signal: AbortSignal): void {
  if (!('BroadcastChannel' in globalThis)) return
  const listening = new BroadcastChannel(CHANNEL)
  listening.addEventListener('message', callback)
  signal.addEventListener('abort', () => listening.close(), { once: true })
}
