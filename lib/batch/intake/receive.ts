import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { GatewayError } from '../../errors.ts'
import { cleanName, uniqueName } from './names.ts'
import { assertReadable } from './sniff.ts'
import {
  FIELDS,
  KINDS,
  kindOf,
  type Upload,
  type UploadedFile,
  type UploadFields,
  type UploadLimits,
} from './upload.ts'

export type ReceiveOptions = Readonly<{
  contentType: string | null
  /** Below which uploads lie while they are looked at. */
  directory: string
  limits: UploadLimits
  /** Bytes, as the sender says beforehand. */
  declaredBytes?: number | undefined
  /** Aborts when the sender has gone. */
  signal: AbortSignal
}>

const LONGEST_FIELD = 100_000
const FIELD_NAMES: ReadonlySet<string> = new Set(FIELDS)

const invalid = (path: string, message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `${path} ${message}.`, { details: [{ path, message }] })

const tooLarge = (what: string, bytes: number): GatewayError =>
  new GatewayError('PAYLOAD_TOO_LARGE', `${what} larger than ${bytes.toLocaleString('en')} bytes.`)

/** One upload on its way to the disk. The first fault ends it. */
class Reception {
  readonly files: UploadedFile[] = []
  readonly fields: Partial<Record<string, string>> = {}
  readonly #directory: string
  readonly #limits: UploadLimits
  readonly #names = new Set<string>()
  readonly #writing: Promise<void>[] = []
  readonly #streams: BusboyFileStream[] = []
  readonly #fail: (error: GatewayError) => void

  constructor(directory: string, limits: UploadLimits, fail: (error: GatewayError) => void) {
    this.#directory = directory
    this.#limits = limits
    this.#fail = fail
  }

  readonly onFile = (field: string, stream: BusboyFileStream, sent: string): void => {
    const name = uniqueName(cleanName(sent), this.#names)
    this.#names.add(name)
    const kind = kindOf(name)
    // A stream that nobody reads would hold up all that follows.
    if (field === 'file' && kind) {
      this.#streams.push(stream)
      this.#writing.push(this.#keep(name, kind, stream))
      return
    }
    stream.resume()
    this.#fail(
      kind
        ? invalid(field.slice(0, 100), 'is not a field of this request; files are sent as “file”')
        : new GatewayError(
            'UNSUPPORTED_MEDIA_TYPE',
            `${name}: files may end in ${Object.keys(KINDS).join(', ')}.`,
          ),
    )
  }

  readonly onField = (name: string, value: string, _: boolean, isCut: boolean): void => {
    if (!FIELD_NAMES.has(name)) this.#fail(invalid(name.slice(0, 100), 'is not a field of this request'))
    else if (this.fields[name] !== undefined) this.#fail(invalid(name, 'comes twice'))
    else if (isCut) this.#fail(tooLarge(`${name} is`, LONGEST_FIELD))
    else this.fields[name] = value
  }

  /** Resolves when all files are on the disk. */
  async written(): Promise<void> {
    await Promise.all(this.#writing)
    if (this.files.length === 0) throw invalid('file', 'is required: send at least one')
  }

  /** Resolves when nothing is written any more, so that all of it can be removed. */
  async stopped(): Promise<void> {
    for (const stream of this.#streams) stream.destroy()
    await Promise.allSettled(this.#writing)
  }

  async #keep(name: string, kind: UploadedFile['kind'], stream: BusboyFileStream): Promise<void> {
    const path = join(this.#directory, randomUUID())
    const place = this.#names.size
    try {
      await pipeline(stream, createWriteStream(path, { mode: 0o600 }))
    } catch (cause) {
      return this.#fail(new GatewayError('CLIENT_GONE', undefined, { cause }))
    }
    if (stream.truncated) return this.#fail(tooLarge(`${name} is`, this.#limits.fileBytes))
    if (stream.bytesRead === 0) return this.#fail(invalid(name, 'is empty'))
    const unreadable = await assertReadable(name, path).catch(error => error as GatewayError)
    if (unreadable) return this.#fail(unreadable)
    this.files[place] = { name, path, kind, bytes: stream.bytesRead }
  }
}

const busboyFor = (contentType: string, { files, fileBytes }: UploadLimits): BusboyInstance => {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: {
        files,
        fileSize: fileBytes,
        fields: FIELDS.length + 1,
        fieldSize: LONGEST_FIELD,
        parts: files + FIELDS.length + 1,
        headerPairs: 20,
      },
    })
  } catch (cause) {
    throw new GatewayError('INVALID_INPUT', 'The multipart body has no boundary.', { cause })
  }
}

/**
 * Hands a body on, portion by portion, as fast as it is taken. It is not cancelled when it is given up: whoever sends
 * it shall see the answer, for which the rest must be read.
 */
const pump = async (
  body: ReadableStream<Uint8Array>,
  busboy: BusboyInstance,
  mostBytes: number,
  signal: AbortSignal,
): Promise<void> => {
  let bytes = 0
  for await (const chunk of body.values({ preventCancel: true })) {
    signal.throwIfAborted()
    bytes += chunk.length
    if (bytes > mostBytes) throw tooLarge('The upload is', mostBytes)
    if (!busboy.write(chunk)) await once(busboy, 'drain', { signal })
  }
  busboy.end()
}

const take = async (
  body: ReadableStream<Uint8Array>,
  directory: string,
  { contentType, limits, signal }: ReceiveOptions,
): Promise<Reception> => {
  const busboy = busboyFor(contentType ?? '', limits)
  const over = new AbortController()
  let fault: GatewayError | undefined
  const fail = (error: GatewayError) => {
    fault ??= error
    over.abort(error)
  }
  const reception = new Reception(directory, limits, fail)
  busboy.on('file', reception.onFile)
  busboy.on('field', reception.onField)
  busboy.on('filesLimit', () => fail(invalid('file', `may come ${limits.files} times at most`)))
  const tooMany = () => fail(invalid('body', 'has too many parts'))
  busboy.on('fieldsLimit', tooMany)
  busboy.on('partsLimit', tooMany)
  const stopped = AbortSignal.any([signal, over.signal])
  try {
    const finished = once(busboy, 'finish', { signal: stopped })
    await Promise.all([finished, pump(body, busboy, limits.uploadBytes, stopped)])
    await reception.written()
  } catch (error) {
    busboy.destroy()
    await reception.stopped()
    if (signal.aborted) throw signal.reason
    throw fault ?? (error instanceof GatewayError ? error : brokenOff(error))
  }
  if (!fault) return reception
  await reception.stopped()
  throw fault
}

const brokenOff = (cause: unknown): GatewayError =>
  new GatewayError('INVALID_INPUT', 'The multipart body is broken, or ends before its end.', { cause })

/**
 * Takes an upload: its files to the disk, as they come, and its fields to memory. At the first fault nothing of it
 * stays.
 *
 * @throws GatewayError INVALID_INPUT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, or the signal's reason
 */
export const receiveUpload = async (
  body: ReadableStream<Uint8Array> | null,
  options: ReceiveOptions,
): Promise<Upload> => {
  if (!/^multipart\/form-data\b/i.test(options.contentType ?? ''))
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the files as multipart/form-data.')
  if (!body) throw invalid('body', 'is empty')
  const { uploadBytes } = options.limits
  if ((options.declaredBytes ?? 0) > uploadBytes) throw tooLarge('The upload is', uploadBytes)
  await mkdir(options.directory, { recursive: true, mode: 0o700 })
  const directory = await mkdtemp(join(options.directory, 'upload-'))
  const dispose = () => rm(directory, { recursive: true, force: true })
  try {
    const { files, fields } = await take(body, directory, options)
    return { files: files.filter(file => file !== undefined), fields: fields as UploadFields, dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
