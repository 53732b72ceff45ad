import type { Answer } from './answer.ts'

export type DownloadOptions = Readonly<{
  /** Its content type. */
  type: string
  /** Letters, digits, dots, dashes and underscores. */
  fileName: string
}>

const PORTION = 16_384
const encoder = new TextEncoder()

/** Text as bytes, in portions that are worth a write. */
async function* portions(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let text = ''
  for await (const line of lines) {
    text += line
    if (text.length < PORTION) continue
    yield encoder.encode(text)
    text = ''
  }
  if (text !== '') yield encoder.encode(text)
}

/** A file to be saved, written as fast as it is read, and never whole in memory. */
export const download = (lines: AsyncIterable<string>, { type, fileName }: DownloadOptions): Answer => {
  const ended = Promise.withResolvers<void>()
  const iterator = portions(lines)
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const step = await iterator.next()
          if (!step.done) return controller.enqueue(step.value)
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        ended.resolve()
      },
      async cancel() {
        await iterator.return(undefined)
        ended.resolve()
      },
    },
    { highWaterMark: 0 },
  )
  return {
    stream,
    ended: ended.promise,
    headers: { 'content-type': type, 'content-disposition': `attachment; filename="${fileName}"` },
  }
}
