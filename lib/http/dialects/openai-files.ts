import type { Listed, StoredFile } from '../../batch/v1/types.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { formFingerprint } from '../../idempotency/fingerprint.ts'
import { prefetched } from '../../llm/events.ts'
import type { FormPart } from '../../llm/passthrough.ts'
import { type ReceiveFormOptions, receiveForm } from '../../multipart/receive-form.ts'
import { fileFields } from '../../validation/openai-batches.ts'
import { parseOrThrow } from '../../validation/zod.ts'
import { passBodyGate } from '../body-gate.ts'
import { pacedBody } from '../paced-body.ts'
import type { RouteResponse } from '../route-response.ts'

const MS_PER_SECOND = 1000

/** A clock time in milliseconds as OpenAI's, in seconds. */
export const unixSeconds = (at: number): number => Math.floor(at / MS_PER_SECOND)

/** A file as OpenAI's file object. */
export const fileJson = ({ id, bytes, createdAt, expiresAt, name, purpose }: StoredFile) => ({
  id,
  object: 'file',
  bytes,
  created_at: unixSeconds(createdAt),
  ...(expiresAt !== undefined && { expires_at: unixSeconds(expiresAt) }),
  filename: name,
  purpose,
  status: 'processed',
  status_details: null,
})

/** A page of a list in OpenAI's form. */
export const listJson = <Entry extends Readonly<{ id: string }>>(
  { entries, hasMore }: Listed<Entry>,
  toJson: (entry: Entry) => unknown,
) => ({
  object: 'list',
  data: entries.map(toJson),
  first_id: entries[0]?.id ?? null,
  last_id: entries.at(-1)?.id ?? null,
  has_more: hasMore,
})

const LONGEST_NAME = 255
/** Characters that end or reorder a line, are invisible, or belong to a path. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}/\\]/gu

const refused = (path: string, message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `${path}: ${message}`, { details: [{ path, message }] })

/** The file of a form, with its fields. @throws GatewayError INVALID_INPUT */
const uploadedFile = (parts: readonly FormPart[]) => {
  const [file, ...more] = parts.flatMap(part => ('path' in part && part.name === 'file' ? [part] : []))
  if (!file) throw refused('file', 'is required')
  if (more.length > 0) throw refused('file', 'must be one file')
  if (file.bytes === 0) throw refused('file', 'must not be empty')
  const sent = Object.fromEntries(parts.flatMap(part => ('value' in part ? [[part.name, part.value]] : [])))
  const { purpose, 'expires_after[seconds]': seconds } = parseOrThrow(fileFields, sent)
  return {
    path: file.path,
    name: file.fileName.toWellFormed().replace(UNSAFE, '').slice(0, LONGEST_NAME) || 'file',
    bytes: file.bytes,
    purpose,
    ttlMs: seconds === undefined ? undefined : seconds * MS_PER_SECOND,
  }
}

/** The file of `POST /v1/files`, on disk. `dispose` of it afterwards. Rejects as `receiveForm` does */
export const receivedFile = async (request: Request, options: ReceiveFormOptions) => {
  const { parts, dispose } = await receiveForm(request, options)
  try {
    await passBodyGate(request, () => formFingerprint(parts))
    return { file: uploadedFile(parts), dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** The content of a file as a download. Rejects with the error of its first piece; later, the connection is cut. */
export const contentResponse = async (
  { id }: StoredFile,
  pieces: AsyncGenerator<string | Uint8Array>,
  options: Readonly<{ clock: Clock; abort: (reason: GatewayError) => void }>,
): Promise<RouteResponse> => ({
  ...pacedBody(await prefetched(pieces), options),
  headers: {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${id}"`,
  },
})
