import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { FormPart } from '../../passthrough.ts'

/** A form as a request's body, with the headers that describe it. */
export type FormBody = Readonly<{
  headers: Readonly<{ 'content-type': string; 'content-length': string }>
  stream: Readable
}>

const LINE = '\r\n'
/** A name as a quoted string of a header. Source: WHATWG HTML, "multipart/form-data". */
const quoted = (text: string): string =>
  `"${text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')}"`

const headOf = (part: FormPart, boundary: string): Buffer => {
  const file = 'path' in part ? `; filename=${quoted(part.fileName)}${LINE}content-type: ${part.type}` : ''
  const name = `content-disposition: form-data; name=${quoted(part.name)}${file}`
  return Buffer.from(`--${boundary}${LINE}${name}${LINE}${LINE}`)
}

const lengthOf = (part: FormPart): number => ('path' in part ? part.bytes : Buffer.byteLength(part.value))

/** A form's parts as a body, in their order, the files read from disk as they are sent. */
export const formBody = (parts: readonly FormPart[], boundary: string): FormBody => {
  const end = `--${boundary}--${LINE}`
  const heads = parts.map(part => headOf(part, boundary))
  const length = parts.reduce(
    (sum, part, index) => sum + (heads[index]?.length ?? 0) + lengthOf(part) + LINE.length,
    end.length,
  )
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (const [index, part] of parts.entries()) {
      yield heads[index] as Buffer
      if ('path' in part) yield* createReadStream(part.path)
      else yield Buffer.from(part.value)
      yield Buffer.from(LINE)
    }
    yield Buffer.from(end)
  }
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(length),
    },
    stream: Readable.from(pieces(), { objectMode: false }),
  }
}
