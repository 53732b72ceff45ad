import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { type ErrorCode, GatewayError } from '../../errors.ts'
import { FIELDS, type UploadedFile, type UploadFields, type UploadLimits } from './limits.ts'
import { cleanName, EXTENSIONS, kindOf, uniqueName } from './names.ts'
import { onlyText } from './only-text.ts'
import { boundaryOf, PartHeaders } from './part-headers.ts'
import { diskFault, newUploadDir } from './upload-dir.ts'

const MOST_PARTS = 64
const MAX_HEADER_BYTES = 16_384
/** The bytes that boundaries, headers and fields may add to the files. */
const MAX_FRAMING_BYTES = 2_000_000
const MEGABYTE = 1_000_000
const LONGEST_SHOWN = 100

export type Upload = Readonly<{
  files: readonly UploadedFile[]
  fields: UploadFields
  /** Removes the files from disk. */
  dispose(): Promise<void>
}>

export type ReceiveOptions = Readonly<{
  /** The directory in which the upload gets a private directory of its own. */
  directory: string
  limits: UploadLimits
  signal: AbortSignal
}>

const uploadError = (code: ErrorCode, path: string, message: string): GatewayError =>
  new GatewayError(code, `${path}: ${message}.`, { details: [{ path, message }] })

const size = (bytes: number): string =>
  bytes < MEGABYTE ? `${bytes.toLocaleString('en')} bytes` : `${bytes / MEGABYTE} MB`

/** @throws GatewayError UNSUPPORTED_MEDIA_TYPE, or INVALID_INPUT where no boundary is named */
const boundaryOrThrow = (contentType: string): string => {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType))
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the files as multipart/form-data.')
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) throw uploadError('INVALID_INPUT', 'content-type', 'has no boundary')
  return boundary
}

const parserOf = (boundary: string, limits: UploadLimits): BusboyInstance =>
  new Busboy({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    limits: {
      files: limits.mostFiles,
      parts: MOST_PARTS,
      headerSize: MAX_HEADER_BYTES,
      fieldSize: Math.max(...Object.values(FIELDS)),
    },
  })

const tooLarge = ({ maxBytes }: UploadLimits): GatewayError =>
  uploadError('PAYLOAD_TOO_LARGE', 'file', `all files together are larger than ${size(maxBytes)}`)

/**
 * Checks a request's headers before any of its body is read.
 * @throws GatewayError PAYLOAD_TOO_LARGE for a declared length beyond the limits, UNSUPPORTED_MEDIA_TYPE for a
 * body that is compressed
 */
export const assertReceivable = (headers: Headers, limits: UploadLimits): void => {
  const encoding = headers.get('content-encoding')
  if (encoding && encoding.trim().toLowerCase() !== 'identity')
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the body uncompressed, without content-encoding.')
  if (Number(headers.get('content-length') ?? 0) > limits.maxBytes + MAX_FRAMING_BYTES) throw tooLarge(limits)
}

const isField = (name: string): name is keyof typeof FIELDS => Object.hasOwn(FIELDS, name)

/** One upload on its way to disk. The first error ends all reads and writes. */
class Reception {
  readonly #directory: string
  readonly #limits: UploadLimits
  readonly #stop = new AbortController()
  readonly #saves: Promise<void>[] = []
  readonly #files: UploadedFile[] = []
  readonly #names: string[] = []
  readonly #streams: BusboyFileStream[] = []
  readonly #headers: PartHeaders
  readonly #fields: Partial<Record<keyof typeof FIELDS, string>> = {}
  #bytes = 0

  constructor(directory: string, limits: UploadLimits, boundary: string) {
    this.#directory = directory
    this.#limits = limits
    this.#headers = new PartHeaders(boundary)
  }

  async receive(
    body: ReadableStream<Uint8Array>,
    parser: BusboyInstance,
    signal: AbortSignal,
  ): Promise<Upload> {
    const gone = () => this.#refuse(new GatewayError('CLIENT_GONE', undefined, { cause: signal.reason }))
    signal.addEventListener('abort', gone, { once: true })
    if (signal.aborted) gone()
    try {
      await this.#read(body, parser)
    } catch (cause) {
      this.#refuse(
        cause instanceof GatewayError
          ? cause
          : new GatewayError('INVALID_INPUT', 'body: is not complete multipart/form-data.', {
              details: [{ path: 'body', message: 'is not complete multipart/form-data' }],
              cause,
            }),
      )
    } finally {
      signal.removeEventListener('abort', gone)
      await Promise.allSettled(this.#saves)
    }
    if (!this.#stop.signal.aborted && this.#files.length === 0)
      this.#refuse(uploadError('INVALID_INPUT', 'file', 'is required; send at least one'))
    if (!this.#stop.signal.aborted) return this.#upload()
    await this.#dispose()
    throw this.#stop.signal.reason
  }

  async #read(body: ReadableStream<Uint8Array>, parser: BusboyInstance): Promise<void> {
    parser.on('file', (field, stream, name) => {
      this.#streams.push(stream)
      const save = this.#save(field, stream, name).catch(cause => this.#refuse(diskFault(cause)))
      this.#saves.push(save)
    })
    parser.on('field', (name, value, _nameCut, cut) => this.#take(name, value, cut))
    parser.on('filesLimit', () =>
      this.#refuse(
        uploadError('INVALID_INPUT', 'file', `may be sent at most ${this.#limits.mostFiles} times`),
      ),
    )
    parser.on('partsLimit', () =>
      this.#refuse(uploadError('INVALID_INPUT', 'body', `has more than ${MOST_PARTS} parts`)),
    )
    const { signal } = this.#stop
    await pipeline(this.#chunksOf(body), parser, { signal })
    await Promise.all(this.#saves)
  }

  async *#chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { signal } = this.#stop
    const reader = body.getReader()
    // Released, not cancelled: the response can still read and drop the rest. A pending read ends, too.
    const letGo = () => reader.releaseLock()
    signal.addEventListener('abort', letGo, { once: true })
    try {
      let bytes = 0
      for (let step = await reader.read(); !step.done; step = await reader.read()) {
        bytes += step.value.length
        if (bytes > this.#limits.maxBytes + MAX_FRAMING_BYTES) throw tooLarge(this.#limits)
        if (bytes - this.#bytesOfFiles() > MAX_FRAMING_BYTES)
          throw uploadError(
            'INVALID_INPUT',
            'body',
            `has more than ${size(MAX_FRAMING_BYTES)} besides its files`,
          )
        this.#headers.check(step.value)
        yield step.value
      }
    } finally {
      signal.removeEventListener('abort', letGo)
      letGo()
    }
  }

  /** Bytes that the parser has identified so far as content of files. */
  #bytesOfFiles(): number {
    return this.#streams.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
  }

  #take(name: string, value: string, cut: boolean): void {
    const path = `${name}`.slice(0, LONGEST_SHOWN)
    const invalid = (message: string) => this.#refuse(uploadError('INVALID_INPUT', path, message))
    if (path === '') this.#refuse(uploadError('INVALID_INPUT', 'body', 'has a field without a name'))
    else if (path === 'file') invalid('must be a file, with a filename')
    else if (!isField(path)) invalid('is not a field of this request')
    else if (Object.hasOwn(this.#fields, path)) invalid('comes more than once')
    else if (cut || Buffer.byteLength(value) > FIELDS[path])
      invalid(`must have at most ${size(FIELDS[path])}`)
    // An HTML form sends an empty text for a field without input.
    else if (value !== '') this.#fields[path] = value
  }

  async #save(field: string, stream: BusboyFileStream, sent: string | undefined): Promise<void> {
    if (field !== 'file') {
      stream.resume().on('error', () => {})
      throw uploadError(
        'INVALID_INPUT',
        `${field}`.slice(0, LONGEST_SHOWN),
        'is not a field for files; use file',
      )
    }
    const name = uniqueName(cleanName(sent ?? ''), this.#names)
    const kind = kindOf(name)
    if (!kind) {
      stream.resume().on('error', () => {})
      throw uploadError('UNSUPPORTED_MEDIA_TYPE', name, `must end in one of ${EXTENSIONS}`)
    }
    this.#names.push(name)
    const index = this.#names.length - 1
    const path = join(this.#directory, randomUUID())
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
    let bytes = 0
    const counted = async function* (this: Reception, chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length
        this.#count(name, bytes, chunk.length)
        yield chunk
      }
    }.bind(this)
    const closed = new Promise<void>(resolve => file.once('close', resolve))
    try {
      await pipeline(stream, counted, chunks => onlyText(name, chunks), file, { signal: this.#stop.signal })
    } finally {
      // A file that is still being opened could be created in a directory that is being removed.
      await closed
    }
    if (bytes === 0) throw uploadError('INVALID_INPUT', name, 'is empty')
    this.#files[index] = { name, path, kind, bytes }
  }

  #count(name: string, fileBytes: number, more: number): void {
    this.#bytes += more
    const { maxFileBytes, maxBytes } = this.#limits
    if (fileBytes > maxFileBytes)
      throw uploadError('PAYLOAD_TOO_LARGE', name, `is larger than ${size(maxFileBytes)}`)
    if (this.#bytes > maxBytes) throw tooLarge(this.#limits)
  }

  /** The first one counts. */
  #refuse(why: unknown): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(why)
  }

  #upload(): Upload {
    return { files: this.#files, fields: this.#fields, dispose: () => this.#dispose() }
  }

  async #dispose(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/**
 * Reads an upload of files to disk, into a private directory, never whole into memory. When it is refused, or the
 * client disconnects, its files are removed and the rest is not read.
 * @throws GatewayError INVALID_INPUT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, STORE_UNAVAILABLE where the disk is
 * full or fails, or CLIENT_GONE once `signal` fires.
 */
export const receiveUpload = async (
  body: ReadableStream<Uint8Array>,
  contentType: string,
  { directory, limits, signal }: ReceiveOptions,
): Promise<Upload> => {
  const boundary = boundaryOrThrow(contentType)
  const parser = parserOf(boundary, limits)
  return new Reception(await newUploadDir(directory), limits, boundary).receive(body, parser, signal)
}
