import { useEffect, useState } from 'react'

/** Drawn at once: so little that a key is handled within 50 ms at a quarter of a processor's speed. */
const PORTION_CHARACTERS = 256

/**
 * The part of a text that may be drawn now. The rest of one that is there at once, or grows faster than it can be drawn,
 * follows portion by portion, so that the page handles keys in between; all of it at once in a hidden page, whose timers
 * are slow.
 */
export function useInPortions(text: string): string {
  const [end, setEnd] = useState(PORTION_CHARACTERS)
  // A text that begins anew, as that of an answer that is asked for again.
  if (end > text.length + PORTION_CHARACTERS) setEnd(text.length)
  const isPartial = end < text.length
  useEffect(() => {
    if (!isPartial) return undefined
    const next = document.hidden ? Number.POSITIVE_INFINITY : end + PORTION_CHARACTERS
    const timer = setTimeout(() => setEnd(next))
    return () => clearTimeout(timer)
  }, [end, isPartial])
  return text.slice(0, end)
}
