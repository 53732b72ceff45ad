import { PRIORITIES, type Priority } from '../gateway/job-wire.ts'
import { ChevronIcon } from '../icons.tsx'

type Props = { label: string; priority: Priority; onChoose: (priority: Priority) => void }

/** The priority of a batch among the user's own. */
export function PriorityPicker({ label, priority, onChoose }: Props) {
  return (
    <span className="relative flex min-w-0 items-center text-muted hover:text-ink">
      <select
        aria-label={label}
        className="picker"
        value={priority}
        onChange={event => onChoose(event.target.value as Priority)}
      >
        {PRIORITIES.map(one => (
          <option key={one} value={one}>
            {one[0]?.toUpperCase()}
            {one.slice(1)} priority
          </option>
        ))}
      </select>
      <span className="pointer-events-none absolute right-1.5">
        <ChevronIcon />
      </span>
    </span>
  )
}
