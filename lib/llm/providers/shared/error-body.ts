import { parseJson } from './lenient.ts'

/** The content of an upstream's error, collected from wherever in its body the vendor puts it. */
export type ErrorFacts = Readonly<{
  /** The HTTP status that the body itself names, as a number or in digits. */
  status?: number
  /** Codes, types and reasons in lower case without separators: `invalidapikey` for `invalid_api_key`. */
  words: ReadonlySet<string>
  /** The first of the words as the vendor writes it, for the log. */
  code?: string
  /** Every human-readable message, one a line. */
  message: string
  /** Request parameters that the error is about, such as `max_tokens` or `messages[0].role`. */
  params: readonly string[]
  /** The retry delay in Google's format: `36s`. */
  retryDelay?: string
}>

type Mutable = {
  status?: number
  words: Set<string>
  code?: string
  messages: string[]
  params: string[]
  retryDelay?: string
}

/** URLs, whose paths contain words such as `rate-limits` that would mislead. */
const URLS = /https?:\/\/\S+/g
const MAX_DEPTH = 12
const MAX_NODES = 40
const MAX_TEXT = 4_000
const MAX_LIST = 5
/** What is longer is no code. It is not cut: a part of a secret would not be recognised, and not masked. */
export const LONGEST_CODE = 100

/** Fields that hold the vendor's error code. Generic ones come last, so that they do not override a specific code. */
const WORD_FIELDS = ['code', 'status', 'reason', 'error_code', '__type', 'error_type', 'type'] as const
const STATUS_FIELDS = [
  'code',
  'status',
  'status_code',
  'statusCode',
  'http_status',
  'raw_status_code',
] as const
const TEXT_FIELDS = ['message', 'Message', 'msg', 'error_description', 'title'] as const
/** Fields in which vendors and relays put the error itself, or one that caused it, as an object, a list or text. */
const NESTED_FIELDS = [
  'error',
  'innererror',
  'inner_error',
  'errors',
  'detail',
  'details',
  'metadata',
  'raw',
  'provider_specific_fields',
] as const

/** Normalizes a vendor's code for comparison. */
export const normalizedWord = (word: string): string => word.toLowerCase().replace(/[^a-z0-9.]/g, '')

const isNested = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** Reads an error, breadth first and bounded, so that the outermost code takes precedence. */
class ErrorReader {
  readonly facts: Mutable = { words: new Set(), messages: [], params: [] }
  readonly #queue: { value: unknown; depth: number }[]
  #nodes = 0

  constructor(body: unknown) {
    this.#queue = [{ value: body, depth: 0 }]
  }

  read(): ErrorFacts {
    for (let next = this.#queue.shift(); next && this.#nodes < MAX_NODES; next = this.#queue.shift()) {
      this.#nodes += 1
      this.#value(next.value, next.depth)
    }
    const { messages, ...facts } = this.facts
    return { ...facts, message: messages.join('\n').replace(URLS, '') }
  }

  #value(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) return
    if (typeof value === 'string') this.#text(value, depth)
    else if (Array.isArray(value)) for (const one of value.slice(0, MAX_LIST)) this.#add(one, depth)
    else if (isNested(value)) this.#object(value, depth)
  }

  /** Relays put a whole body of JSON into a string; all other text is a sentence. */
  #text(text: string, depth: number): void {
    const start = text.slice(0, 100).search(/[^\s\ufeff]/)
    const first = text[start]
    const value = first === '{' || first === '[' ? parseJson(text.slice(start)) : undefined
    if (isNested(value)) this.#add(value, depth)
    else if (first === '<') this.#page(text)
    else if (text !== '') this.facts.messages.push(text.slice(0, MAX_TEXT))
  }

  /** Only the heading of a proxy's error page is used: `<title>502 Bad Gateway</title>`. */
  #page(html: string): void {
    const [, heading] = /<(?:title|h1)[^>]*>([^<]{1,200})/i.exec(html.slice(0, MAX_TEXT)) ?? []
    if (!heading) return
    this.#status(/\b[45]\d\d\b/.exec(heading)?.[0])
    this.facts.messages.push(heading.trim())
  }

  #object(node: Readonly<Record<string, unknown>>, depth: number): void {
    for (const field of STATUS_FIELDS) this.#status(node[field])
    for (const field of WORD_FIELDS) this.#word(node[field])
    for (const field of TEXT_FIELDS) this.#value(node[field], depth + 1)
    for (const field of NESTED_FIELDS) this.#add(node[field], depth)
    this.#param(node)
    if (typeof node.retryDelay === 'string') this.facts.retryDelay ??= node.retryDelay
    if (isFiltered(node)) this.facts.words.add('contentfilter')
  }

  #add(value: unknown, depth: number): void {
    if (typeof value === 'string' || isNested(value)) this.#queue.push({ value, depth: depth + 1 })
  }

  #status(value: unknown): void {
    const status = typeof value === 'string' && /^[45]\d\d$/.test(value) ? Number(value) : value
    if (typeof status === 'number' && status >= 400 && status < 600) this.facts.status ??= status
  }

  #word(value: unknown): void {
    if (typeof value !== 'string' || value === '') return
    this.facts.words.add(normalizedWord(value.slice(0, 200)))
    if (!GENERIC.has(value) && value.length <= LONGEST_CODE) this.facts.code ??= value
  }

  #param({ param, loc }: Readonly<Record<string, unknown>>): void {
    if (typeof param === 'string' && param !== '') this.facts.params.push(param)
    if (!Array.isArray(loc)) return
    const path = loc.filter(part => part !== 'body')
    if (path.length > 0) this.facts.params.push(path.join('.'))
  }
}

/** Codes that only say that there is an error. */
const GENERIC: ReadonlySet<string> = new Set(['error', 'Error', 'invalid_request_error'])

/** Fields by which Azure's filter and OpenRouter's moderation report a block, beside any code. */
const isFiltered = (node: Readonly<Record<string, unknown>>): boolean => {
  const results = node.content_filter_result ?? node.content_filter_results
  if (isNested(results)) return Object.values(results).some(one => isNested(one) && one.filtered === true)
  const { reasons, flagged_input: flagged, model_slug: model } = node
  if (typeof flagged === 'string' && flagged !== '') return true
  return Array.isArray(reasons) && reasons.length > 0 && (flagged !== undefined || model !== undefined)
}

/**
 * Reads an error body.
 *
 * @param body the text of a response, the JSON value in it, or the error object in that; never throws.
 */
export const errorFacts = (body: unknown): ErrorFacts => new ErrorReader(body).read()
