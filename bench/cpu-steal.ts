const watchedMs = 600
const noticedMs = 2

/**
 * The share of time, 0 to 1, in which a runnable process does not run: other processes use the machine, or its host
 * does (CPU steal). A virtual machine's guest counts the host's share as CPU time of the running process, so such
 * figures are too high.
 */
export function cpuStealShare(): number {
  const startedAt = performance.now()
  let lostMs = 0
  let last = startedAt
  while (last - startedAt < watchedMs) {
    const now = performance.now()
    if (now - last > noticedMs) lostMs += now - last
    last = now
  }
  return lostMs / (last - startedAt)
}
