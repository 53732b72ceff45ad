import { useState } from 'react'
import { ConfirmButton } from '../../confirm-button.tsx'
import { plural } from '../../format.ts'
import type { Result } from '../../gateway/call.ts'
import { isOver, type Job } from '../../gateway/job-wire.ts'
import type { Failure } from '../../gateway/wire.ts'
import { DownloadIcon, RetryIcon } from '../../icons.tsx'
import { PriorityPicker } from '../priority-picker.tsx'
import { commands } from './commands.ts'

type Props = {
  job: Job
  onChange: (job: Job) => void
  onDrop: () => void
  /** Called when the gateway does not know the batch. */
  onMissing: () => void
}

const NOT_FOUND = 404

/** The actions available in a batch's state. */
export function JobActions({ job, onChange, onDrop, onMissing }: Props) {
  const [error, setError] = useState<string>()
  const { id, name, counts, state } = job

  async function run(command: Promise<Result<Job>>) {
    const { value, failure } = await command
    report(failure)
    if (value) onChange(value)
  }

  async function remove() {
    const { failure } = await commands.remove(id)
    report(failure)
    if (!failure) onDrop()
  }

  function report(failure: Failure | undefined) {
    setError(failure?.message)
    if (failure?.status === NOT_FOUND) onMissing()
  }

  return (
    <>
      {counts.queued > 0 && (
        <PriorityPicker
          label={`Priority of ${name}`}
          priority={job.priority}
          onChoose={priority => void run(commands.prioritise(id, priority))}
        />
      )}
      {!isOver(job) && (
        <ConfirmButton
          label="Cancel"
          question={`Cancel “${name}”? Finished answers are kept. The remaining items won’t run.`}
          yes="Cancel batch"
          no="Keep running"
          onConfirm={() => void run(commands.cancel(id))}
        />
      )}
      {counts.failed > 0 && state !== 'cancelled' && (
        <button type="button" className="text-button" onClick={() => void run(commands.retry(id))}>
          <RetryIcon /> Retry {plural(counts.failed, 'failed item')}
        </button>
      )}
      {counts.succeeded + counts.failed > 0 && <Downloads id={id} name={name} />}
      {isOver(job) && (
        <ConfirmButton
          label="Delete"
          question={`Delete “${name}” and all its answers? This can’t be undone.`}
          yes="Delete batch"
          no="Keep batch"
          onConfirm={() => void remove()}
        />
      )}
      {error && (
        <p role="alert" className="basis-full px-2.5 text-sm text-danger">
          {error}
        </p>
      )}
    </>
  )
}

function Downloads({ id, name }: { id: string; name: string }) {
  return (['jsonl', 'csv'] as const).map(format => (
    <a
      key={format}
      className="text-button"
      download
      href={`/api/batch/jobs/${id}/results?format=${format}`}
      aria-label={`Download ${format.toUpperCase()} of ${name}`}
    >
      <DownloadIcon /> {format.toUpperCase()}
    </a>
  ))
}
