import type { Steps } from '../loop-turns.ts'
import { JsonPlace, looksLikeJson } from './json-place.ts'
import { phraseDetector } from './lists/phrase-detector.ts'
import { Scanner } from './scan/scanner.ts'
import { VisibleText } from './scan/visible-text.ts'
import { StreamHolder } from './stream-holder.ts'
import type { PlacedText, Verdict } from './types.ts'

/**
 * What stands for what in one caller's conversation. The same value has the same placeholder, so that a model can speak of
 * it; it is kept by the caller's conversation and never shared with another one.
 */
export interface Placeholders {
  /** The original values, by placeholder: `[EMAIL_1]`. */
  readonly values: ReadonlyMap<string, string>
}

export const NO_PLACEHOLDERS: Placeholders = { values: new Map() }

/** More values of a conversation are all replaced by the kind alone, `[EMAIL]`, which cannot be put back. */
export const MOST_PLACEHOLDERS = 1000

const nameOf = (kind: string): string => kind.toUpperCase().replace(/[^A-Z0-9]+/g, '_')

/** What stands for a value that is not put back: `[EMAIL]`. */
export const placeholderKind = (kind: string): string => `[${nameOf(kind)}]`

/** What looks like a placeholder: such a number is not given out, so that nothing false is put back. */
const LOOKS_LIKE_ONE = /\[[a-z][a-z0-9_]*_\d+\]/gi
/** What is looked at in one step: about a millisecond. */
const WINDOW = 16_384
/** Longer ones are none of ours. */
const LONGEST_PLACEHOLDER = 64
/** What every text has in which detectors see a bracket: one, an escape, or a character that stands for one. */
const MAY_HOLD_ONE = /[[\\]|[^\0-\x7f]/
/** Texts without a placeholder that are passed over in one step. */
const TEXTS_PER_STEP = 512

const mayHoldOne = (text: string): boolean => text.length > WINDOW || MAY_HOLD_ONE.test(text)

/** Adds what looks like a placeholder in a text, as detectors see it, in upper case. */
function* addPlaceholdersIn(text: string, found: Set<string>): Steps<void> {
  const seen = new VisibleText()
  for (let from = 0; from < text.length; from += WINDOW) {
    seen.append(text.slice(from, from + WINDOW))
    if (from + WINDOW >= text.length) seen.finish()
    for (const one of seen.view.match(LOOKS_LIKE_ONE) ?? []) found.add(one.toUpperCase())
    seen.dropBefore(Math.max(0, seen.view.length - LONGEST_PLACEHOLDER))
    yield
  }
}

/** Replaces values of one call's texts by placeholders that can be put back. */
export class Redactor {
  readonly #values: Map<string, string>
  readonly #byValue: Map<string, string>
  /** Texts of the call that have not been read. */
  #texts: readonly Pick<PlacedText, 'text'>[]
  /** What the call's own texts write. */
  readonly #written = new Set<string>()
  /** The last number given out, by kind. */
  readonly #last = new Map<string, number>()

  /**
   * @param known the placeholders of earlier texts
   * @param texts all texts of the call, read once something is redacted: what looks like a placeholder in one of them
   *   stands for nothing else
   */
  constructor(known: Placeholders = NO_PLACEHOLDERS, texts: readonly Pick<PlacedText, 'text'>[] = []) {
    this.#values = new Map(known.values)
    this.#byValue = new Map([...known.values].map(([placeholder, value]) => [value, placeholder]))
    this.#texts = texts
  }

  get placeholders(): Placeholders {
    return { values: this.#values }
  }

  /**
   * The text with placeholders in place of the spans of verdicts, in steps between which other work can run. What is no
   * string of a JSON text becomes one.
   */
  *redact(text: string, verdicts: readonly Verdict[]): Steps<string> {
    yield* this.#readTexts()
    yield* addPlaceholdersIn(text, this.#written)
    return yield* withSpansReplaced(text, verdicts, (kind, value) => this.#placeholderOf(kind, value))
  }

  *#readTexts(): Steps<void> {
    const texts = this.#texts
    this.#texts = []
    let passed = 0
    for (const { text } of texts) {
      if (mayHoldOne(text)) yield* addPlaceholdersIn(text, this.#written)
      else if (++passed % TEXTS_PER_STEP === 0) yield
    }
  }

  #placeholderOf(kind: string, value: string): string {
    const existing = this.#byValue.get(value)
    if (existing !== undefined) return existing
    if (this.#values.size >= MOST_PLACEHOLDERS) return placeholderKind(kind)
    const name = nameOf(kind)
    for (let number = (this.#last.get(name) ?? 0) + 1; ; number += 1) {
      const placeholder = `[${name}_${number}]`
      if (this.#values.has(placeholder) || this.#written.has(placeholder)) continue
      this.#last.set(name, number)
      this.#values.set(placeholder, value)
      this.#byValue.set(value, placeholder)
      return placeholder
    }
  }
}

/** Spans that are replaced in one step: well below a millisecond. */
const SPANS_PER_STEP = 1_024

/**
 * The text with others in place of the spans of verdicts, in steps; those that overlap as one, by the kind of the first.
 * JSON stays JSON: a number becomes a string.
 */
export function* withSpansReplaced(
  text: string,
  verdicts: readonly Verdict[],
  replacementOf: (kind: string, value: string) => string,
): Steps<string> {
  const spans = merged(verdicts)
  const place = spans.length > 0 && looksLikeJson(text) ? new JsonPlace() : undefined
  let replaced = ''
  let from = 0
  for (const [index, { kind, start, end }] of spans.entries()) {
    if (index % SPANS_PER_STEP === SPANS_PER_STEP - 1) yield
    const replacement = replacementOf(kind, text.slice(start, end))
    place?.read(text.slice(from, start))
    replaced += text.slice(from, start) + (place?.written(replacement) ?? replacement)
    place?.read(text.slice(start, end))
    from = end
  }
  return replaced + text.slice(from)
}

const merged = (verdicts: readonly Verdict[]): Pick<Verdict, 'kind' | 'start' | 'end'>[] => {
  const spans: { kind: string; start: number; end: number }[] = []
  for (const { kind, start, end } of verdicts.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = spans.at(-1)
    if (last && start < last.end) last.end = Math.max(last.end, end)
    else if (end > start) spans.push({ kind, start, end })
  }
  return spans
}

/** Puts the original values back into an answer that arrives in chunks: a placeholder may be cut anywhere. */
export class Restorer {
  readonly #values: ReadonlyMap<string, string>
  readonly #written: (value: string) => string
  readonly #holder: StreamHolder

  /** @param written how a value is written where it is put back, asked for each; as it is when absent */
  constructor({ values }: Placeholders, written: (value: string) => string = value => value) {
    this.#values = values
    this.#written = written
    const phrases = [...values.keys()].map(text => ({ text, kind: 'placeholder', rule: text, score: 1 }))
    this.#holder = new StreamHolder(new Scanner([phraseDetector('placeholder', phrases, true)]), new Map())
  }

  push(chunk: string): string {
    return this.#joined(this.#holder.push(chunk))
  }

  end(): string {
    return this.#joined(this.#holder.end())
  }

  #joined(pieces: ReturnType<StreamHolder['push']>): string {
    return pieces.map(({ text, verdict }) => this.#valueOf(verdict?.rule) ?? text).join('')
  }

  #valueOf(placeholder: string | undefined): string | undefined {
    const value = placeholder === undefined ? undefined : this.#values.get(placeholder)
    return value === undefined ? undefined : this.#written(value)
  }
}

/** Puts the original values back into a whole text. */
export const restore = (
  text: string,
  placeholders: Placeholders,
  written?: (value: string) => string,
): string => {
  const restorer = new Restorer(placeholders, written)
  return restorer.push(text) + restorer.end()
}
