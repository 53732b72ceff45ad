import { useEffect, useRef } from 'react'
import { HoldNotice } from '../../hold-notice.tsx'
import { filesFault } from './files.ts'
import { type Chosen, chosenFault, type Sending } from './intake.ts'
import { IntakeErrors } from './intake-errors.tsx'

type Props = {
  chosen: readonly Chosen[]
  sending: Sending
  onRemove: (ids: readonly number[]) => void
  onWaited: () => void
}

/** Why the files cannot be sent, or were refused: at the drop zone, announced, and scrolled into view. */
export function IntakeProblems({ chosen, sending, onRemove, onWaited }: Props) {
  const together = filesFault(chosen.map(({ file }) => file))
  const unfit = chosen.filter(chosenFault)
  const place = useRef<HTMLDivElement>(null)
  const local = [together, ...unfit.map(({ id }) => id)].filter(Boolean).join()
  const refusal = sending.state === 'failed' || sending.state === 'held' ? sending : undefined

  useEffect(() => {
    if (local || refusal) place.current?.scrollIntoView({ block: 'nearest' })
    // After a press on a button far below the drop zone, reading goes on here.
    if (refusal) place.current?.focus({ preventScroll: true })
  }, [local, refusal])

  return (
    <div ref={place} tabIndex={-1} className="scroll-mt-16 outline-none empty:hidden">
      {local !== '' && (
        <div role="alert" className="notice mt-3">
          {together && <p>{together}</p>}
          {unfit.length > 0 && <UnfitFiles unfit={unfit} onRemove={onRemove} />}
        </div>
      )}
      {sending.state === 'failed' && <IntakeErrors failure={sending.failure} />}
      {sending.state === 'held' && (
        <div className="mt-3">
          <HoldNotice hold={sending.hold} onOver={onWaited} />
        </div>
      )}
    </div>
  )
}

const MOST_SHOWN = 5

function UnfitFiles({ unfit, onRemove }: { unfit: readonly Chosen[]; onRemove: Props['onRemove'] }) {
  const more = unfit.length - MOST_SHOWN
  return (
    <>
      <p>{unfit.length === 1 ? 'This file can’t be uploaded:' : 'These files can’t be uploaded:'}</p>
      <ul className="mt-1 list-disc pl-5 text-sm wrap-anywhere">
        {unfit.slice(0, MOST_SHOWN).map(one => (
          <li key={one.id}>
            <strong className="font-medium">{one.file.name}</strong>: {chosenFault(one)}
          </li>
        ))}
        {more > 0 && <li>and {more} more</li>}
      </ul>
      <button type="button" className="text-button mt-1" onClick={() => onRemove(unfit.map(({ id }) => id))}>
        Remove {unfit.length === 1 ? 'it' : `these ${unfit.length} files`}
      </button>
    </>
  )
}
