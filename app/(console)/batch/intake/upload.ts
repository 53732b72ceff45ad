import { failureOf, unreachable } from '../../gateway/failure.ts'
import type { Job, Priority } from '../../gateway/job-wire.ts'
import { parsedJson } from '../../gateway/parsed-json.ts'
import type { Failure } from '../../gateway/wire.ts'

export type Upload = {
  files: readonly File[]
  /** Texts that are empty are left out. */
  instruction: string
  name: string
  priority: Priority
  model: string | undefined
}

export type Uploaded = { job: Job; failure?: never } | { failure: Failure; job?: never }

/**
 * Sends files to become a batch. Not by `fetch`, which does not report upload progress.
 *
 * @param onProgress called with the share that has been sent, from 0 to 1
 * @returns undefined once `signal` is aborted
 */
export function upload(
  wanted: Upload,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<Uploaded | undefined> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve(undefined)
    const request = new XMLHttpRequest()
    let sent = 0
    request.upload.onprogress = ({ loaded, total }) => {
      sent = total === 0 ? 0 : loaded / total
      onProgress(sent)
    }
    request.onload = () => resolve(outcomeOf(request))
    request.onerror = () => resolve({ failure: sent < 1 ? unreachable(navigator.onLine) : unanswered() })
    request.onabort = () => resolve(undefined)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.open('POST', '/api/batch/upload')
    request.send(formOf(wanted))
  })
}

/** The gateway may have accepted the files all the same. */
function unanswered(): Failure {
  const message =
    'The connection was lost after the upload. If the batch is not in the list below, send the files again.'
  return { code: 'UNREACHABLE', message, retryable: true }
}

/** The fields come first, so that a streaming parser knows them before the files. */
function formOf({ files, ...fields }: Upload): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) if (value?.trim()) form.append(name, value.trim())
  for (const file of files) form.append('file', file, file.name)
  return form
}

async function outcomeOf(request: XMLHttpRequest): Promise<Uploaded> {
  const { status, responseText } = request
  const job = parsedJson(responseText) as Job | undefined
  if (status === 202 && job?.id) return { job }
  const headers = Object.fromEntries(
    ['retry-after', 'x-request-id'].flatMap(name => {
      const value = request.getResponseHeader(name)
      return value === null ? [] : [[name, value]]
    }),
  )
  return { failure: await failureOf(new Response(responseText, { status, headers })) }
}
