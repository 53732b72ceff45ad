import { inTurns, type Steps } from '../../loop-turns.ts'
import { isJson, textsIn, withStrings } from '../json-strings.ts'
import { type BodyTexts, kindOfString } from './body-strings.ts'
import { EventTexts } from './event-texts.ts'

const ofPlainText = (body: string): BodyTexts => ({
  texts: [body],
  withTexts: async changed => changed.get(body) ?? body,
})

function* ofJson(json: string): Steps<BodyTexts> {
  const texts = yield* textsIn(json, member => kindOfString(member) === 'text')
  return {
    texts: [...new Set(texts)],
    withTexts: changed =>
      inTurns(
        withStrings(json, (text, member) => {
          const kind = kindOfString(member)
          if (kind === 'word') return ''
          return kind === 'text' ? changed.get(text) : undefined
        }),
      ),
  }
}

/** The texts of a body, read in steps between which other work can run. */
export function* textsOfBody(body: string, mediaType = ''): Steps<BodyTexts> {
  if (/^text\/event-stream/i.test(mediaType)) return yield* new EventTexts(body).read()
  return isJson(body) ? yield* ofJson(body) : ofPlainText(body)
}
