import { createReadStream } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'
import { GatewayError } from '../../errors.ts'
import { formFingerprint } from '../../idempotency/fingerprint.ts'
import { receiveForm } from '../../multipart/receive-form.ts'
import { queryOf } from '../../validation/batch.ts'
import {
  datasetQuery,
  type NewDataset,
  parseDataset,
  parseDatasetLines,
} from '../../validation/evaluation-runs.ts'
import { parseOrThrow } from '../../validation/zod.ts'
import { readJson, readText } from '../body.ts'
import { passBodyGate } from '../body-gate.ts'

/** The longest body of a data set, bytes. */
const MAX_DATASET_BYTES = 20_000_000

type UploadOptions = Readonly<{
  /** The directory of files that pass through. */
  mediaDir: string
  signal: AbortSignal
}>

const invalid = (path: string, message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `${path}: ${message}`, { details: [{ path, message }] })

/** The one file of a form, and its name. */
const ofForm = async (request: Request, { mediaDir, signal }: UploadOptions): Promise<NewDataset> => {
  const { parts, dispose } = await receiveForm(request, {
    directory: mediaDir,
    maxBytes: MAX_DATASET_BYTES,
    signal,
  })
  try {
    await passBodyGate(request, () => formFingerprint(parts))
    const unknown = parts.find(({ name }) => name !== 'file' && name !== 'name')
    if (unknown) throw invalid(unknown.name, 'is not a field of this request')
    const files = parts.flatMap(part => ('path' in part ? [part] : []))
    const [file] = files
    if (!file || files.length > 1) throw invalid('file', 'must be one file of JSON lines')
    const named = parts.find(part => part.name === 'name' && 'value' in part)
    const title = named && 'value' in named ? named.value : file.fileName
    return await parseDatasetLines(await textOf(createReadStream(file.path)), title)
  } finally {
    await dispose()
  }
}

/** A data set as JSON, as JSON lines with its name in the query, or as a form with one file of JSON lines. */
export const readDataset = async (request: Request, options: UploadOptions): Promise<NewDataset> => {
  const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'multipart/form-data') return ofForm(request, options)
  if (!LINES.has(type)) return parseDataset(await readJson(request, MAX_DATASET_BYTES))
  const { name } = parseOrThrow(datasetQuery, queryOf(request))
  return parseDatasetLines(await readText(request, MAX_DATASET_BYTES), name)
}

const LINES: ReadonlySet<string> = new Set([
  'application/jsonl',
  'application/x-jsonlines',
  'application/x-ndjson',
  'application/ndjson',
  'text/plain',
])
