import type { ChatSession } from './chat-session.ts'

/** A page that is still shown after this has not been left after all: its user stayed, or it was a download. */
const STAYED_MS = 5_000

/**
 * Saves when the page is hidden or left, and warns only where leaving would lose something. From then on nothing is
 * saved: a browser aborts the requests of a page that is being left, which is no failure of the conversation.
 */
export function saveOnLeave(session: ChatSession): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stay = () => {
    clearTimeout(timer)
    session.wake()
  }
  addEventListener('beforeunload', event => {
    session.suspend()
    clearTimeout(timer)
    timer = setTimeout(stay, STAYED_MS)
    if (session.wouldLose) event.preventDefault()
  })
  addEventListener('pagehide', () => {
    clearTimeout(timer)
    session.suspend()
  })
  addEventListener('pageshow', ({ persisted }) => persisted && stay())
  document.addEventListener('visibilitychange', () => document.hidden && session.flush())
}
