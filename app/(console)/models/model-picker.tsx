import { byProvider } from '../gateway/models.ts'
import type { Model } from '../gateway/wire.ts'
import { ChevronIcon } from '../icons.tsx'

type Props = {
  models: Model[]
  model: string | undefined
  onChoose: (id: string) => void
  /** Its accessible name; `Model` by default. */
  label?: string
}

/** The models by provider; unavailable ones are shown but cannot be chosen. */
export function ModelPicker({ models, model, onChoose, label = 'Model' }: Props) {
  return (
    <span className="relative flex min-w-0 items-center text-muted hover:text-ink">
      <select
        aria-label={label}
        className="picker"
        value={model ?? ''}
        disabled={models.length === 0}
        onChange={event => onChoose(event.target.value)}
      >
        {models.length === 0 && <option value="">Default model</option>}
        {byProvider(models).map(([provider, offered]) => (
          <optgroup key={provider} label={provider}>
            {offered.map(({ id, available }) => (
              <option key={id} value={id} disabled={!available}>
                {available ? id : `${id} (unavailable)`}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      <span className="pointer-events-none absolute right-1.5">
        <ChevronIcon />
      </span>
    </span>
  )
}
