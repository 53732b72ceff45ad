import { useState } from 'react'
import type { Model } from '../../gateway/wire.ts'
import { ModelPicker } from '../../models/model-picker.tsx'

type Props = { models: Model[]; onRetry: (model: string) => void }

/** Asks the same question of another model. The choice is for this question only. */
export function AnotherModel({ models, onRetry }: Props) {
  const [chosen, setChosen] = useState<string>()
  const model = models.find(({ id }) => id === chosen)?.id ?? models[0]?.id
  return (
    <span className="flex min-w-0 flex-wrap items-center gap-x-1">
      <button type="button" className="text-button" onClick={() => model && onRetry(model)}>
        Try another model
      </button>
      <ModelPicker label="Ask instead" models={models} model={model} onChoose={setChosen} />
    </span>
  )
}
