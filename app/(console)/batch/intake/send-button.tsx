import type { MouseEvent } from 'react'

type Props = { underWay: boolean; ready: boolean; onStop: () => void }

/** One button in one place, so that keyboard focus stays while its meaning changes. */
export function SendButton({ underWay, ready, onStop }: Props) {
  function stop(event: MouseEvent<HTMLButtonElement>) {
    // Stopping turns this into the submit button before the browser has finished the click.
    event.preventDefault()
    const secondOfDoubleClick = event.detail > 1
    if (!secondOfDoubleClick) onStop()
  }

  return (
    <button
      type={underWay ? 'button' : 'submit'}
      className={underWay ? 'outline-button' : 'solid-button'}
      disabled={!underWay && !ready}
      onClick={underWay ? stop : undefined}
    >
      {underWay ? 'Stop sending' : 'Send batch'}
    </button>
  )
}
