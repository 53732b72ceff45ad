import { SaxesParser } from 'saxes'
import { ToolFailure } from '../types.ts'
import type { FoundArticle } from './tool.ts'

type Entry = { -readonly [Field in keyof FoundArticle]?: string }

/** Elements of RSS 2.0, RSS 1.0 and Atom, by their local names. */
const ENTRIES: ReadonlySet<string> = new Set(['item', 'entry'])
const FIELDS: Readonly<Record<string, keyof FoundArticle>> = {
  title: 'title',
  link: 'url',
  description: 'summary',
  summary: 'summary',
  pubDate: 'publishedAt',
  date: 'publishedAt',
  published: 'publishedAt',
  updated: 'publishedAt',
}
const LONGEST_FIELD = 10_000

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&nbsp;': ' ',
}

/** Texts of feeds are often HTML. */
const withoutMarkup = (text: string): string =>
  text
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll(/&(?:amp|lt|gt|quot|#39|nbsp);/g, entity => ENTITIES[entity] ?? entity)

/** The entries of a feed of RSS or Atom. Throws a ToolFailure where it is not well-formed. */
export const entriesOf = (xml: string): readonly FoundArticle[] => {
  const found: Entry[] = []
  let entry: Entry | undefined
  let field: keyof FoundArticle | undefined
  let depth = 0
  let text = ''
  const parser = new SaxesParser({ xmlns: true })
  parser.on('opentag', ({ local, attributes }) => {
    if (!entry && ENTRIES.has(local)) {
      entry = {}
      depth = 0
      return
    }
    if (!entry) return
    depth += 1
    if (depth !== 1) return
    field = FIELDS[local]
    text = ''
    const { rel, href } = attributes
    if (local === 'link' && href && (rel?.value ?? 'alternate') === 'alternate') entry.url ??= href.value
  })
  const onText = (added: string) => {
    if (field && text.length < LONGEST_FIELD) text += added
  }
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.on('closetag', ({ local }) => {
    if (!entry) return
    if (depth === 0 && ENTRIES.has(local)) {
      found.push(entry)
      entry = undefined
    } else {
      if (depth === 1 && field && text.trim() !== '')
        entry[field] ??= field === 'url' ? text.trim() : withoutMarkup(text)
      if (depth === 1) field = undefined
      depth -= 1
    }
  })
  parser.on('error', () => {
    throw new ToolFailure('malformed', 'The feed cannot be read.')
  })
  parser.write(xml).close()
  return found.map(one => ({
    title: one.title,
    url: one.url,
    summary: one.summary,
    publishedAt: one.publishedAt,
  }))
}
