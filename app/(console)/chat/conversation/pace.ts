/** An answer may take a quarter of the page's time to draw; the rest is for the reader's typing and scrolling. */
const PAUSE_PER_WORK = 3

/**
 * Passes items on in batches, at most one every `leastMs`, and less often where drawing a batch takes long: an answer
 * may arrive faster than a page can be drawn. `flush` passes on the rest at once.
 */
export function paced<Item>(deliver: (items: Item[]) => void, leastMs: number) {
  let waiting: Item[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let pauseMs = leastMs

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const batch = waiting
    waiting = []
    if (batch.length === 0) return
    const began = performance.now()
    deliver(batch)
    // React draws in a separate task, before a timer set now fires.
    setTimeout(() => {
      pauseMs = Math.max(leastMs, PAUSE_PER_WORK * (performance.now() - began))
    })
  }

  function add(items: Item[]): void {
    waiting.push(...items)
    timer ??= setTimeout(flush, pauseMs)
  }

  return { add, flush }
}
