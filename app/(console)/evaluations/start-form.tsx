import { type FormEvent, useId, useState } from 'react'
import type { Failure } from '../gateway/wire.ts'
import { startRun } from './evaluations-api.ts'
import type { Run } from './wire.ts'

const GRADERS = {
  exact: 'Exact text',
  contains: 'Contains the reference',
  similarity: 'Similar meaning',
  judge: 'A model’s grade',
} as const

type Props = { onStart: (run: Run) => void }

/** Starts an evaluation of a data set. */
export function StartForm({ onStart }: Props) {
  const hintId = useId()
  const [failure, setFailure] = useState<Failure>()
  const [isSending, setIsSending] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (isSending) return
    const form = new FormData(event.currentTarget)
    const file = form.get('file')
    const threshold = String(form.get('threshold') ?? '')
    if (!(file instanceof File)) return
    const models = String(form.get('models') ?? '')
      .split(',')
      .map(name => name.trim())
      .filter(Boolean)
    const graders = form.getAll('grader').map(String)
    if (models.length === 0) return setFailure(incomplete('Name at least one model.'))
    if (graders.length === 0) return setFailure(incomplete('Choose at least one grader.'))
    setIsSending(true)
    const started = await startRun({
      file,
      models,
      graders,
      threshold: threshold === '' ? undefined : Number(threshold),
    })
    setIsSending(false)
    setFailure(started.failure)
    if (started.value) onStart(started.value)
  }

  return (
    <form className="mt-4 flex flex-col gap-4" onSubmit={event => void submit(event)}>
      <label className="field">
        Data set
        <input name="file" type="file" accept=".jsonl,.ndjson,.json" required aria-describedby={hintId} />
      </label>
      <p id={hintId} className="-mt-2 text-sm wrap-anywhere text-muted">
        One JSON object a line: <code>{'{"input": "2 + 2?", "reference": "4"}'}</code>
      </p>
      <div className="flex flex-wrap gap-4">
        <label className="field min-w-0 flex-1 basis-64">
          Models, separated by commas
          <input
            name="models"
            defaultValue="mock, mock/echo"
            required
            autoComplete="off"
            spellCheck={false}
          />
        </label>
        <label className="field basis-40">
          Required score
          <input name="threshold" type="number" min={0} max={1} step={0.01} placeholder="None" />
        </label>
      </div>
      <fieldset>
        <legend className="text-sm font-medium">Graders</legend>
        <div className="choices mt-1">
          {Object.entries(GRADERS).map(([type, label]) => (
            <label key={type}>
              <input name="grader" type="checkbox" value={type} defaultChecked={type === 'contains'} />
              {label}
            </label>
          ))}
        </div>
      </fieldset>
      {failure && (
        <p role="alert" className="notice wrap-anywhere">
          {failure.message}
        </p>
      )}
      <div>
        <button type="submit" className="solid-button" disabled={isSending}>
          {isSending ? 'Starting…' : 'Start evaluation'}
        </button>
      </div>
    </form>
  )
}

/** What is missing in the form, in its own words. */
const incomplete = (message: string): Failure => ({ code: 'INVALID_INPUT', message, retryable: false })
