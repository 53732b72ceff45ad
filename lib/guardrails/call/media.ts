import { open } from 'node:fs/promises'
import type { ContentPart } from '../../llm/message.ts'
import type { FormPart } from '../../llm/passthrough.ts'
import type { Call } from '../../llm/types.ts'

/** Parts of a medium that are compared; a short one is compared as a whole. */
const SAMPLES = 16
const SAMPLE = 1_024

const startsOf = (length: number): readonly number[] =>
  length <= SAMPLES * SAMPLE
    ? [...Array(Math.ceil(length / SAMPLE)).keys()].map(index => index * SAMPLE)
    : [...Array(SAMPLES).keys()].map(index => Math.floor((index * (length - SAMPLE)) / (SAMPLES - 1)))

const samplesOf = (text: string): string =>
  `${text.length} ${startsOf(text.length)
    .map(start => text.slice(start, start + SAMPLE))
    .join('')}`

const ofPart = (part: ContentPart): readonly string[] => {
  switch (part.type) {
    case 'text':
      return []
    case 'image':
      return [samplesOf(part.url)]
    case 'audio':
      return [samplesOf(part.base64)]
    case 'file':
      return [samplesOf(part.url ?? part.id ?? '')]
    case 'other':
      return [part.name]
  }
}

const samplesOfFile = async (path: string, bytes: number): Promise<string> => {
  const file = await open(path)
  try {
    const samples: string[] = []
    for (const start of startsOf(bytes)) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(SAMPLE), 0, SAMPLE, start)
      samples.push(buffer.toString('base64', 0, bytesRead))
    }
    return `${bytes} ${samples.join('')}`
  } finally {
    await file.close()
  }
}

const ofForm = (parts: readonly FormPart[]): Promise<readonly string[]> =>
  Promise.all(parts.flatMap(part => ('path' in part ? [samplesOfFile(part.path, part.bytes)] : [])))

/**
 * What distinguishes calls that say the same with different images, recordings and files: their lengths and samples of
 * them, since to read all of 200 MB would take as long as to send it.
 */
export const mediaOf = async ({ messages, passthrough }: Call): Promise<readonly string[]> => [
  ...messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content.flatMap(ofPart))),
  ...(passthrough?.body.kind === 'form' ? await ofForm(passthrough.body.parts) : []),
]
