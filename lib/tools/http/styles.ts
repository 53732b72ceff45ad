import { isObject } from '../../raw-json.ts'
import { type ArgumentStyle, DefinitionFault, type StyleName } from './definition.ts'

/** How OpenAPI writes an argument into a request. Source: OpenAPI Specification 3.1.1, Style Values; RFC 6570. */
const STYLES = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
} as const satisfies Readonly<Record<string, readonly StyleName[]>>

type StyledPlace = keyof typeof STYLES

type Written = Readonly<{ style?: string | undefined; explode?: boolean | undefined }>

/** The style of a parameter, where it names none that of its place. Throws DefinitionFault for one that is not supported. */
export const styleOf = (place: StyledPlace, { style, explode }: Written): ArgumentStyle => {
  const names: readonly StyleName[] = STYLES[place]
  const name = style === undefined ? names[0] : names.find(one => one === style)
  if (name === undefined)
    throw new DefinitionFault(`has a parameter with the style ${style}, which is not supported in a ${place}`)
  return { name, explode: explode ?? name === 'form' }
}

type Encode = (text: string) => string

/** A value within a request: strings as they are, all else as JSON. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '')

const encodedText: Encode = text => encodeURIComponent(text.toWellFormed())

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] | undefined =>
  isObject(value) ? Object.entries(value).filter(([, one]) => one !== undefined) : undefined

/** The parts of a value: elements, or members as pairs joined by `=` where each stands alone, else names and values. */
const partsOf = (value: unknown, explode: boolean, encode: Encode): readonly string[] => {
  if (Array.isArray(value)) return value.map(one => encode(textOf(one)))
  const entries = entriesOf(value)
  if (!entries) return [encode(textOf(value))]
  return entries.flatMap(([name, one]) => {
    const pair = [encode(name), encode(textOf(one))]
    return explode ? [pair.join('=')] : pair
  })
}

const matrix = (name: string, value: unknown, explode: boolean): string => {
  const parts = partsOf(value, explode, encodedText)
  if (!explode) return `;${encodedText(name)}=${parts.join()}`
  const isOfMembers = entriesOf(value) !== undefined
  return parts.map(part => (isOfMembers ? `;${part}` : `;${encodedText(name)}=${part}`)).join('')
}

/** An argument as a part of a path, encoded. */
export const inPath = (name: string, value: unknown, { name: style, explode }: ArgumentStyle): string => {
  if (style === 'json') return encodedText(JSON.stringify(value))
  if (style === 'matrix') return matrix(name, value, explode)
  const parts = partsOf(value, explode, encodedText)
  return style === 'label' ? `.${parts.join(explode ? '.' : ',')}` : parts.join()
}

const DELIMITERS: Readonly<Partial<Record<ArgumentStyle['name'], string>>> = {
  spaceDelimited: '%20',
  pipeDelimited: '|',
}

/** An argument as pairs of a query, encoded; none where it is an empty list or object. */
export const inQuery = (
  name: string,
  value: unknown,
  { name: style, explode }: ArgumentStyle,
): readonly string[] => {
  const pair = (text: string, of = encodedText(name)): string => `${of}=${text}`
  if (style === 'json') return [pair(encodedText(JSON.stringify(value)))]
  const entries = entriesOf(value)
  if (style === 'deepObject' && entries)
    return entries.map(([member, one]) =>
      pair(encodedText(textOf(one)), `${encodedText(name)}[${encodedText(member)}]`),
    )
  const parts = partsOf(value, explode, encodedText)
  if (explode) return entries ? parts : parts.map(part => pair(part))
  return parts.length === 0 ? [] : [pair(parts.join(DELIMITERS[style] ?? ','))]
}

/** An argument as the value of a header. */
export const inHeader = (value: unknown, { name: style, explode }: ArgumentStyle): string =>
  style === 'json' ? JSON.stringify(value) : partsOf(value, explode, text => text).join()
