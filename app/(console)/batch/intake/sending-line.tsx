import type { ReactNode } from 'react'
import type { Model } from '../../gateway/wire.ts'
import { estimate, estimateAsWords } from './estimate.ts'
import { filesFault } from './files.ts'
import { type Chosen, chosenFault, readingsOf, type Sending } from './intake.ts'

type Props = {
  chosen: readonly Chosen[]
  instruction: string
  models: readonly Model[]
  model: string | undefined
  sending: Sending
}

/** The line beside the button: the progress of sending, or the estimate; then that the files were accepted. */
export function SendingLine({ chosen, instruction, models, model, sending }: Props) {
  if (sending.state === 'under-way') return <SentSoFar sent={sending.sent} />
  if (sending.state === 'taken') return <Note>“{sending.name}” is queued. Follow it below.</Note>
  if (chosen.length === 0) return null
  if (filesFault(chosen.map(({ file }) => file))) return null
  const fit = chosen.filter(one => !chosenFault(one))
  if (fit.some(({ reading }) => !reading)) return <Note>Reading files…</Note>
  const priceOf = (name: string | undefined) => models.find(({ id }) => id === name)
  const prices = { chosen: priceOf(model), named: priceOf }
  return <Note>{estimateAsWords(estimate(readingsOf(fit), instruction, prices))}</Note>
}

function Note({ children }: { children: ReactNode }) {
  return (
    <p data-note className="min-w-0 text-sm text-muted wrap-anywhere">
      {children}
    </p>
  )
}

/** Sent is not yet accepted: the gateway checks every item first. */
function SentSoFar({ sent }: { sent: number }) {
  const percent = Math.floor(sent * 100)
  return (
    <div className="flex min-w-0 flex-1 items-center gap-3 text-sm text-muted">
      <progress aria-label="Sent" className="bar max-w-60 flex-1" value={sent} max={1} />
      <span className="tabular-nums">{percent < 100 ? `${percent}% uploaded` : 'Uploaded. Checking…'}</span>
    </div>
  )
}
