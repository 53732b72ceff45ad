import { useState } from 'react'
import { ConfirmButton } from '../../confirm-button.tsx'

const HOUR = 3_600
const DAY = 24 * HOUR
const OVERLAPS = [
  [0, 'Ends at once'],
  [HOUR, 'Stays valid for an hour'],
  [DAY, 'Stays valid for a day'],
  [7 * DAY, 'Stays valid for a week'],
  [30 * DAY, 'Stays valid for 30 days'],
] as const

type Props = { name: string; onRotate: (overlapSeconds: number) => void }

/** Asks how long the old secret stays valid before it gives a key a new one. */
export function RotateButton({ name, onRotate }: Props) {
  const [overlapSeconds, setOverlapSeconds] = useState<number>(DAY)
  return (
    <ConfirmButton
      label="Rotate"
      name={`Rotate ${name}`}
      question={`Give “${name}” a new secret? It is shown once.`}
      yes="Rotate key"
      no="Keep secret"
      onConfirm={() => onRotate(overlapSeconds)}
    >
      <label className="field mt-4">
        The old secret
        <select value={overlapSeconds} onChange={event => setOverlapSeconds(Number(event.target.value))}>
          {OVERLAPS.map(([seconds, label]) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </ConfirmButton>
  )
}
