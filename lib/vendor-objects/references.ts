import type { FormPart } from '../llm/passthrough.ts'
import type { Steps } from '../loop-turns.ts'

/** The id of an object that is stored at a vendor, in a request or an answer. */
export type VendorReference = Readonly<{ path: string; kind: string; id: string }>

/**
 * Members that hold such an id, or a list of them.
 * Source: OpenAI's specification and Anthropic's API reference, all endpoints that the gateway serves; Gemini's for
 * `cached_content`.
 */
const HOLDING_IDS: ReadonlyMap<string, string> = new Map([
  ['file_id', 'file'],
  ['file_ids', 'file'],
  ['vector_store_id', 'vector store'],
  ['vector_store_ids', 'vector store'],
  ['container', 'container'],
  ['container_id', 'container'],
  ['skill_id', 'skill'],
  ['tunnel_id', 'tunnel'],
  ['comparison_response_id', 'response'],
  ['previous_message_id', 'message'],
  ['cached_content', 'cached content'],
])

/** Members whose value is an object with an `id` of that kind. */
const WITH_ID: ReadonlyMap<string, string> = new Map([
  ['container', 'container'],
  ['prompt', 'prompt'],
  ['audio', 'audio answer'],
  ['voice', 'voice'],
])

/** Members whose values are the caller's own data, whatever names it uses there. */
const OWN_DATA: ReadonlySet<string> = new Set([
  'arguments',
  'documents',
  'input_examples',
  'input_schema',
  'metadata',
  'parameters',
  'schema',
])

const STEPS_PER_TURN = 2_000

type Fields = Readonly<Record<string, unknown>>

/** An object or a list that is being read. */
type Frame = {
  readonly of: Fields
  readonly names: readonly string[] | undefined
  count: number
  next: number
}

const frameOf = (value: object): Frame => {
  const of = value as Fields
  if (Array.isArray(value)) return { of, names: undefined, count: value.length, next: 0 }
  const names = Object.keys(value)
  return { of, names, count: names.length, next: 0 }
}

/** An image of an earlier answer, which the vendor is to look up. */
const isStoredImage = ({ type, result }: Fields): boolean =>
  type === 'image_generation_call' && typeof result !== 'string'

const kindOf = (name: string, of: Fields, holder: string | undefined): string | undefined => {
  if (name === 'id') return (holder && WITH_ID.get(holder)) ?? (isStoredImage(of) ? 'image' : undefined)
  return HOLDING_IDS.get(name)
}

/** The input of a tool is an object, that of a model a text or a list. */
const isOwnData = (name: string, value: object): boolean =>
  OWN_DATA.has(name) || (name === 'input' && !Array.isArray(value))

/** A vendor's own skills have names, such as `pptx`, and are everyone's. */
const isPublic = (kind: string, id: string): boolean => kind === 'skill' && !id.startsWith('skill_')

const idsIn = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(one => (typeof one === 'object' ? [] : idsIn(one)))
  if (typeof value !== 'string' && typeof value !== 'number') return []
  return value === '' ? [] : [String(value)]
}

const currentName = ({ names, next }: Frame): string => names?.[next - 1] ?? `[${next - 1}]`

const pathOf = (frames: readonly Frame[]): string => frames.map(currentName).join('.').replaceAll('.[', '[')

/** The references in a JSON value, in their order. Each step takes a millisecond or less. */
export function* scanReferences(value: unknown): Steps<readonly VendorReference[]> {
  const found: VendorReference[] = []
  const frames: Frame[] = typeof value === 'object' && value !== null ? [frameOf(value)] : []
  let steps = 0
  for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
    if (frame.next === frame.count) {
      frames.pop()
      continue
    }
    steps += 1
    if (steps % STEPS_PER_TURN === 0) yield
    frame.next += 1
    const name = frame.names?.[frame.next - 1]
    const child = frame.of[name ?? frame.next - 1]
    if (name !== undefined) {
      const outer = frames.at(-2)
      const kind = kindOf(name, frame.of, outer && currentName(outer))
      if (kind !== undefined)
        for (const id of idsIn(child)) if (!isPublic(kind, id)) found.push({ path: pathOf(frames), kind, id })
    }
    if (typeof child === 'object' && child !== null && !(name !== undefined && isOwnData(name, child)))
      frames.push(frameOf(child))
  }
  return found
}

/** The references in the fields of a form, whose names stand for nested members: `images[0][file_id]`. */
export const referencesInForm = (parts: readonly FormPart[]): readonly VendorReference[] =>
  parts.flatMap(part => {
    if ('path' in part) return []
    const names = part.name.split(/[[\].]+/).filter(name => name !== '' && !/^\d+$/.test(name))
    const kind = kindOf(names.at(-1) ?? '', {}, names.at(-2))
    return kind === undefined ? [] : idsIn(part.value).map(id => ({ path: part.name, kind, id }))
  })
