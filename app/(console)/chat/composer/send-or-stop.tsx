import type { MouseEvent } from 'react'
import { SendIcon, StopIcon } from '../../icons.tsx'

type Props = { answering: boolean; sendable: boolean; onStop: () => void }

/** One button in one place, so that keyboard focus stays while its meaning changes. */
export function SendOrStop({ answering, sendable, onStop }: Props) {
  const label = answering ? 'Stop' : 'Send'

  function stop(event: MouseEvent<HTMLButtonElement>) {
    // Stopping turns this into the submit button before the browser has finished the click.
    event.preventDefault()
    const secondOfDoubleClick = event.detail > 1
    if (!secondOfDoubleClick) onStop()
  }

  return (
    <button
      type={answering ? 'button' : 'submit'}
      className="send-button"
      aria-label={label}
      title={label}
      disabled={!answering && !sendable}
      onClick={answering ? stop : undefined}
      suppressHydrationWarning
    >
      {answering ? <StopIcon /> : <SendIcon />}
    </button>
  )
}
