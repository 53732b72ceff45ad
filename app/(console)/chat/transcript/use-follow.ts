import { useCallback, useEffect, useRef, useState } from 'react'

/** How close to the end, in CSS pixels, counts as being there. */
const NEAR_PX = 32

/**
 * Keeps the end of the page in view while it grows, but only while the reader is at the end: scrolling up stops it,
 * scrolling back to the end or calling `follow` resumes it.
 */
export function useFollow() {
  const following = useRef(true)
  /** Where the page was last known to be scrolled to: by the reader, or by `follow`, whose event comes later. */
  const lastTop = useRef(0)
  const [away, setAway] = useState(false)

  const follow = useCallback(() => {
    following.current = true
    scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' })
    lastTop.current = scrollY
  }, [])

  useEffect(() => {
    lastTop.current = scrollY
    const onScroll = () => {
      const movedUp = scrollY < lastTop.current
      lastTop.current = scrollY
      if (movedUp && distanceToEnd() > 1) following.current = false
      else if (distanceToEnd() <= NEAR_PX) following.current = true
      setAway(!following.current)
    }
    const growth = new ResizeObserver(() => following.current && follow())
    addEventListener('scroll', onScroll, { passive: true })
    growth.observe(document.body)
    return () => {
      removeEventListener('scroll', onScroll)
      growth.disconnect()
    }
  }, [follow])

  return { away, follow }
}

function distanceToEnd(): number {
  return document.documentElement.scrollHeight - innerHeight - scrollY
}
