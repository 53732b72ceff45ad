import type { ReplyEvent } from '../../llm/types.ts'
import { LONG_STEP, type Steps } from '../../loop-turns.ts'
import { isObject } from '../../raw-json.ts'
import type { Place, PlacedText } from '../types.ts'

/** Members that hold names of a format, its ids and its settings, and nothing that was said. */
const NAMES: ReadonlySet<string> = new Set([
  'object',
  'type',
  'role',
  'model',
  'status',
  'phase',
  'finish_reason',
  'native_finish_reason',
  'stop_reason',
  'system_fingerprint',
  'service_tier',
  'provider',
  'usage',
  'expires_at',
  // Random characters that hide the length of a piece.
  'obfuscation',
  // It says the answer once more, token by token.
  'logprobs',
])
const IS_ID = /(?:^|_)id$/
/** Media, signatures and what is encrypted: a long word of base64. */
const ENCODED = /^[\w+/=-]{256,}$/
/** Members whose own members have names of a tool's or a client's choice: they are read as they are written. */
const OF_OTHERS: ReadonlySet<string> = new Set([
  'input',
  'arguments',
  'attributes',
  'metadata',
  'structured_content',
])
/** What is said by a whole response; it repeats the settings of its request too. */
const SAID_BY_RESPONSE: ReadonlySet<string> = new Set(['output', 'output_text', 'error'])

const PLACES: ReadonlyMap<string, Place> = new Map([
  ['tool_calls', 'tool-arguments'],
  ['function_call', 'tool-arguments'],
  ['arguments', 'tool-arguments'],
  ['partial_json', 'tool-arguments'],
  ['input', 'tool-arguments'],
  ['refusal', 'refusal'],
  ['reasoning', 'reasoning'],
  ['reasoning_content', 'reasoning'],
  ['reasoning_details', 'reasoning'],
  ['thinking', 'reasoning'],
  ['summary', 'reasoning'],
])

/** The place of everything in an object of that type. */
const placeOfType = (type: unknown): Place | undefined => {
  if (typeof type !== 'string') return undefined
  if (/reasoning|thinking/.test(type)) return 'reasoning'
  if (/refusal/.test(type)) return 'refusal'
  return /arguments|_input\b/.test(type) ? 'tool-arguments' : undefined
}

/** Members that say which of several texts a piece of a stream belongs to. */
const INDICES = ['index', 'output_index', 'content_index', 'summary_index'] as const
/** Each of them is a text, though it comes in a stream. */
const WHOLE = /^(?:citation|annotation)s?$/

/** A value of a message, and where it stands. */
type Node = Readonly<{
  value: unknown
  member: string
  place: Place
  /** Pieces of one path are one text; undefined where a value is a text by itself. */
  path: string | undefined
  isOfCall: boolean
}>

const isSilent = ({ member, isOfCall }: Node): boolean =>
  NAMES.has(member) || IS_ID.test(member) || (isOfCall && member === 'name')

/** The values within an object, one after another, with what it says of them. */
function* membersOf(object: Readonly<Record<string, unknown>>, outer: Node): Generator<Node> {
  const { type } = object
  const isCall = typeof type === 'string' && /(?:_call|tool_use)$/.test(type)
  const indices = INDICES.map(name => object[name]).join()
  for (const member of Object.keys(object)) {
    if (object.object === 'response' && !SAID_BY_RESPONSE.has(member)) continue
    yield {
      value: object[member],
      member,
      place: outer.place === 'answer' ? (placeOfType(type) ?? PLACES.get(member) ?? 'answer') : outer.place,
      path: WHOLE.test(member) || outer.path === undefined ? undefined : `${outer.path}/${indices}/${member}`,
      isOfCall: isCall || outer.member === 'function' || outer.member === 'function_call',
    }
  }
}

function* innerOf(node: Node): Generator<Node> {
  const { value } = node
  if (Array.isArray(value)) for (const one of value) yield { ...node, value: one }
  else if (isObject(value)) yield* membersOf(value, node)
}

/** A value as a text by itself; undefined where it is none. */
const textOf = ({ value, member }: Node): string | undefined => {
  if (typeof value === 'string') return ENCODED.test(value) ? undefined : value
  const isFilled = isObject(value) && Object.keys(value).length > 0
  return isFilled && OF_OTHERS.has(member) ? JSON.stringify(value) : undefined
}

/** Pieces of growing texts have the member `delta` on their path. */
const isPiece = ({ path }: Node): boolean => path !== undefined && /\/delta(?:\/|$)/.test(path)

/** Values that are looked at in one step: well below a millisecond. */
const VALUES_PER_STEP = 512
/** A message that is longer takes long to be read. */
const LONG_MESSAGE = 65_536
/** Texts that are shorter are read together with others of their place. */
const SHORT = 1_000
/** From this length on no further text is added to texts that are read together. */
const LONGEST_TOGETHER = 4_000

/** Texts in fewer of them: a judge takes so many at a time. */
const together = (texts: readonly PlacedText[]): readonly PlacedText[] => {
  const joined: PlacedText[] = []
  const open = new Map<Place, number>()
  for (const { text, place } of texts) {
    const index = open.get(place) ?? -1
    const last = joined[index]
    if (text.length < SHORT && last && last.text.length < LONGEST_TOGETHER)
      joined[index] = { text: `${last.text}\n${text}`, place }
    else {
      if (text.length < SHORT) open.set(place, joined.length)
      joined.push({ text, place })
    }
  }
  return joined
}

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

/** Collects what messages of an upstream say, each text once. */
class WireTexts {
  readonly #seen: Set<string>
  readonly #growing = new Map<string, PlacedText>()
  readonly #texts: PlacedText[] = []
  #read = 0

  constructor(known: readonly PlacedText[]) {
    this.#seen = new Set(known.map(({ text, place }) => `${place} ${text}`))
  }

  /** @param kind messages of one kind alone have pieces of the same text */
  *add(value: unknown, kind: string): Steps<void> {
    const root: Node = { value, member: '', place: 'answer', path: kind, isOfCall: false }
    const open: Iterator<Node>[] = [[root].values()]
    for (let inner = open.at(-1); inner; inner = open.at(-1)) {
      this.#read += 1
      if (this.#read % VALUES_PER_STEP === 0) yield
      const { done, value: node } = inner.next()
      if (done) open.pop()
      else if (!isSilent(node)) {
        const text = textOf(node)
        if (text === undefined) open.push(innerOf(node))
        else this.#take(node, text)
      }
    }
  }

  all(): readonly PlacedText[] {
    for (const text of this.#growing.values()) this.#say(text)
    this.#growing.clear()
    return together(this.#texts)
  }

  #take(node: Node, text: string): void {
    if (isPiece(node)) this.#grow(node, text)
    else this.#say({ text, place: node.place })
  }

  #grow({ path = '', place }: Node, piece: string): void {
    const text = this.#growing.get(path)?.text ?? ''
    this.#growing.set(path, { text: text + piece, place })
  }

  #say(said: PlacedText): void {
    const key = `${said.place} ${said.text}`
    if (said.text.trim() === '' || this.#seen.has(key)) return
    this.#seen.add(key)
    this.#texts.push(said)
  }
}

const kindOf = (value: unknown): string => {
  if (!isObject(value)) return ''
  const delta = isObject(value.delta) ? value.delta : {}
  return `${value.type} ${delta.type}`
}

/**
 * What leaves in the messages of an upstream that pass on as they came, and stands in no other event: further choices,
 * titles of sources, calls and results of the upstream's own tools, and whatever else a format has. Works in steps.
 *
 * @param known the texts of the other events, which are not repeated
 */
export function* textsOfWire(
  events: readonly ReplyEvent[],
  known: readonly PlacedText[],
): Steps<readonly PlacedText[]> {
  const texts = new WireTexts(known)
  for (const event of events) {
    if (event.type !== 'wire') continue
    if (event.json.length > LONG_MESSAGE) yield LONG_STEP
    const value = parsed(event.json)
    yield* texts.add(value, kindOf(value))
  }
  return texts.all()
}
