import { inTurns, type Steps } from '../../loop-turns.ts'
import { isObject } from '../../raw-json.ts'
import { changedPieces, type JsonPiece } from './json-pieces.ts'
import { PieceGroups } from './piece-groups.ts'

/** How the words of a body are written where something of it is replaced: as they are, or so that they reveal nothing. */
export type WordChange = Readonly<{ word: (word: string) => string; emptiesCodes: boolean }>

/** What a body says, each text once, and the same body with others in place of some of them. */
export type BodyTexts = Readonly<{
  texts: readonly string[]
  withTexts: (changed: ReadonlyMap<string, string>, words: WordChange) => Promise<string>
}>

const ofPlainText = (body: string): BodyTexts => ({
  texts: [body],
  withTexts: async changed => changed.get(body) ?? body,
})

/** JSON texts whose pieces may belong together, each with the kind of what it says. */
type Part = Readonly<{ kind: string; json: string }>

const changesOf = (
  groups: PieceGroups,
  changed: ReadonlyMap<string, string>,
  { word, emptiesCodes }: WordChange,
) => {
  const replacementOf = groups.replacements(changed)
  const piece = (one: JsonPiece) => (one.isWord ? word(one.text) : replacementOf(one))
  return { piece, emptiesCodes }
}

/** @param written puts the parts together, as they have become */
function* ofParts(parts: readonly Part[], written: (parts: readonly string[]) => string): Steps<BodyTexts> {
  const groups = new PieceGroups()
  for (const { json, kind } of parts) {
    yield
    yield* changedPieces(json, kind, { piece: groups.add, emptiesCodes: false })
  }
  function* rewritten(changed: ReadonlyMap<string, string>, words: WordChange): Steps<string> {
    const changes = changesOf(groups, changed, words)
    const texts: string[] = []
    for (const { json, kind } of parts) {
      yield
      texts.push(yield* changedPieces(json, kind, changes))
    }
    return written(texts)
  }
  return {
    texts: groups.texts,
    withTexts: (changed, words) => inTurns(rewritten(changed, words)),
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** JSON that can hold texts: a number is a text as it stands. */
const holdsTexts = (text: string): boolean => /^\s*["[{]/.test(text) && parsed(text) !== undefined

const FRAME_END = /(?<=\r\n\r\n|\n\n|\r\r)/
const LINE_END = /\r\n|\n|\r/
const DATA = /^\ufeff?data: ?/
const DONE = '[DONE]'

/** An event of a stream as it is written, and its data; undefined where that says nothing. */
type Frame = Readonly<{ written: string; data: string | undefined }>

const frameOf = (written: string): Frame => {
  const lines = written.split(LINE_END).filter(line => DATA.test(line))
  const data = lines.map(line => line.replace(DATA, '')).join('\n')
  return { written, data: data.trim() === '' || data.trim() === DONE ? undefined : data }
}

/** A frame with other data. */
const frameWith = ({ written }: Frame, data: string): string => {
  const others = written.split(LINE_END).filter(line => line !== '' && !DATA.test(line))
  const lines = data.split('\n').map(line => `data: ${line}`)
  return `${[...others, ...lines].join('\n')}\n\n`
}

const partOf = ({ data = '' }: Frame): Part => {
  if (!holdsTexts(data)) return { kind: 'data', json: JSON.stringify(data) }
  const value = parsed(data)
  return { kind: isObject(value) ? String(value.type) : '', json: data }
}

/** A stream of events, which say their texts in pieces. */
function* ofEvents(body: string): Steps<BodyTexts> {
  const frames = body.split(FRAME_END).map(frameOf)
  const spoken = frames.filter(({ data }) => data !== undefined)
  const parts = spoken.map(partOf)
  return yield* ofParts(parts, changed => {
    const rewritten = new Map(
      spoken.flatMap((frame, index) => {
        const [part, json = ''] = [parts[index], changed[index]]
        if (json === part?.json) return []
        return [[frame, frameWith(frame, part?.kind === 'data' ? JSON.parse(json) : json)] as const]
      }),
    )
    return frames.map(frame => rewritten.get(frame) ?? frame.written).join('')
  })
}

/** The texts of a body, read in steps between which other work can run. */
export function* textsOfBody(body: string, mediaType = ''): Steps<BodyTexts> {
  if (/^text\/event-stream/i.test(mediaType)) return yield* ofEvents(body)
  if (!holdsTexts(body)) return ofPlainText(body)
  return yield* ofParts([{ kind: '', json: body }], ([json = body]) => json)
}
