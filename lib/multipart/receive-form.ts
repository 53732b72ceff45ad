import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { boundaryOf, PartHeaders } from '../batch/intake/part-headers.ts'
import { diskFault } from '../batch/intake/upload-dir.ts'
import { type ErrorCode, GatewayError } from '../errors.ts'
import type { FormPart } from '../llm/passthrough.ts'
import { newMediaDir, removeMedia } from './media-dir.ts'

const MOST_PARTS = 100
const MAX_HEADER_BYTES = 16_384
/** Most bytes of one field; a prompt has at most 32,000 characters. */
const MAX_FIELD_BYTES = 1_048_576
const MAX_NAME_BYTES = 200

/** A form whose files are on disk. */
export type ReceivedForm = Readonly<{
  /** Fields and files in the order in which they were sent. */
  parts: readonly FormPart[]
  /** Removes the files. */
  dispose: () => Promise<void>
}>

export type ReceiveFormOptions = Readonly<{
  /** The directory in which the request gets one of its own. */
  directory: string
  maxBytes: number
  signal: AbortSignal
}>

const formError = (code: ErrorCode, path: string, message: string): GatewayError =>
  new GatewayError(code, `${path}: ${message}.`, { details: [{ path, message }] })

const tooLarge = (maxBytes: number): GatewayError =>
  formError('PAYLOAD_TOO_LARGE', 'body', `is larger than ${maxBytes.toLocaleString('en')} bytes`)

/** @throws GatewayError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, or INVALID_INPUT where no boundary is named */
const boundaryOrThrow = (headers: Headers, maxBytes: number): string => {
  const type = headers.get('content-type') ?? ''
  if (!/^multipart\/form-data\s*(;|$)/i.test(type))
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as multipart/form-data.')
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding.trim().toLowerCase() !== 'identity')
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the form uncompressed, without content-encoding.')
  if (Number(headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const boundary = boundaryOf(type)
  if (boundary === undefined) throw formError('INVALID_INPUT', 'content-type', 'has no boundary')
  return boundary
}

/** One form on its way to disk. The first error ends all reads and writes. */
class FormReception {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #boundary: string
  readonly #stop = new AbortController()
  readonly #parts: (FormPart | undefined)[] = []
  readonly #saves: Promise<void>[] = []

  constructor(directory: string, maxBytes: number, boundary: string) {
    this.#directory = directory
    this.#maxBytes = maxBytes
    this.#boundary = boundary
  }

  async receive(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<ReceivedForm> {
    const gone = () => this.#stop.abort(new GatewayError('CLIENT_GONE', undefined, { cause: signal.reason }))
    signal.addEventListener('abort', gone, { once: true })
    if (signal.aborted) gone()
    try {
      await pipeline(this.#chunksOf(body), this.#parser(), { signal: this.#stop.signal })
      await Promise.all(this.#saves)
    } catch (cause) {
      this.#refuse(
        cause instanceof GatewayError
          ? cause
          : formError('INVALID_INPUT', 'body', 'is not complete multipart/form-data'),
      )
    } finally {
      signal.removeEventListener('abort', gone)
      await Promise.allSettled(this.#saves)
    }
    const dispose = () => removeMedia(this.#directory)
    if (!this.#stop.signal.aborted) return { parts: this.#parts.filter(part => part !== undefined), dispose }
    await dispose()
    throw this.#stop.signal.reason
  }

  #parser(): BusboyInstance {
    const parser = new Busboy({
      headers: { 'content-type': `multipart/form-data; boundary="${this.#boundary}"` },
      limits: {
        parts: MOST_PARTS,
        headerSize: MAX_HEADER_BYTES,
        fieldSize: MAX_FIELD_BYTES,
        fieldNameSize: MAX_NAME_BYTES,
      },
    })
    parser.on('file', (name, stream, fileName, _encoding, type) => {
      const index = this.#parts.push(undefined) - 1
      const saved = this.#save({ name, fileName: fileName ?? 'file', type }, index, stream)
      this.#saves.push(saved.catch(cause => this.#refuse(diskFault(cause))))
    })
    parser.on('field', (name, value, isNameCut, isCut) => {
      if (isNameCut || isCut)
        this.#refuse(
          formError(
            'INVALID_INPUT',
            name.slice(0, MAX_NAME_BYTES),
            `is longer than ${MAX_FIELD_BYTES} bytes`,
          ),
        )
      else this.#parts.push({ name, value })
    })
    parser.on('partsLimit', () =>
      this.#refuse(formError('INVALID_INPUT', 'body', `has more than ${MOST_PARTS} parts`)),
    )
    return parser
  }

  async *#chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { signal } = this.#stop
    const headers = new PartHeaders(this.#boundary)
    const reader = body.getReader()
    // Released, not cancelled: the response can still read and drop the rest. A pending read ends, too.
    const release = () => reader.releaseLock()
    signal.addEventListener('abort', release, { once: true })
    try {
      let bytes = 0
      for (let step = await reader.read(); !step.done; step = await reader.read()) {
        bytes += step.value.length
        if (bytes > this.#maxBytes) throw tooLarge(this.#maxBytes)
        headers.check(step.value)
        yield step.value
      }
    } finally {
      signal.removeEventListener('abort', release)
      release()
    }
  }

  async #save(
    part: Readonly<{ name: string; fileName: string; type: string }>,
    index: number,
    stream: BusboyFileStream,
  ): Promise<void> {
    const path = join(this.#directory, String(index))
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
    const closed = new Promise<void>(resolve => file.once('close', resolve))
    try {
      await pipeline(stream, file, { signal: this.#stop.signal })
    } finally {
      // A file that is still being opened could be created in a directory that is being removed.
      await closed
    }
    this.#parts[index] = { ...part, path, bytes: file.bytesWritten }
  }

  /** The first one counts. */
  #refuse(why: unknown): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(why)
  }
}

const NOTHING = new Blob([]).stream()

/**
 * Reads a form to disk, never a file of it whole into memory. When it is refused, or the client disconnects, its files
 * are removed and the rest is not read.
 * @throws GatewayError INVALID_INPUT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, STORE_UNAVAILABLE where the disk is
 * full or fails, or CLIENT_GONE once `signal` fires.
 */
export const receiveForm = async (
  { headers, body }: Pick<Request, 'headers' | 'body'>,
  { directory, maxBytes, signal }: ReceiveFormOptions,
): Promise<ReceivedForm> => {
  const boundary = boundaryOrThrow(headers, maxBytes)
  const own = await newMediaDir(directory)
  return new FormReception(own, maxBytes, boundary).receive(body ?? NOTHING, signal)
}
