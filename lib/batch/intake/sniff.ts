import { open } from 'node:fs/promises'
import { fileTypeFromBuffer } from 'file-type'
import { GatewayError } from '../../errors.ts'

const LOOKED_AT_BYTES = 4_100

/** Kinds of text that are recognised by how they begin. */
const isText = (mime: string): boolean => /^text\/|[/+](xml|json)$/.test(mime)

const unfit = (name: string, what: string): GatewayError =>
  new GatewayError('UNSUPPORTED_MEDIA_TYPE', `${name}: is ${what}, whatever its name says; send text.`)

const beginning = async (path: string): Promise<Uint8Array> => {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(LOOKED_AT_BYTES) })
  return buffer.subarray(0, bytesRead)
}

/**
 * Looks at how a file begins.
 * @throws GatewayError UNSUPPORTED_MEDIA_TYPE for what is no text
 */
export const assertReadable = async (name: string, path: string): Promise<void> => {
  const bytes = await beginning(path)
  const type = await fileTypeFromBuffer(bytes)
  if (type && !isText(type.mime)) throw unfit(name, `a file of type ${type.mime}`)
  if (bytes.includes(0)) throw unfit(name, 'binary')
}
