const watchedMs = 600
const noticedMs = 2

/**
 * The share of time, 0 to 1, in which a process that wants to run does not: others use the machine, or its host does.
 * A virtual machine's guest counts the host's share as CPU time of whoever was running, so such figures are too high.
 */
export function lostTimeShare(): number {
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
