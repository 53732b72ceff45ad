import type { Place } from '../types.ts'
import type { Hit } from './match.ts'

/** How many times the evidence of a text counts, by where it came from: nothing in a tool result or document may give orders. */
const PLACE_WEIGHT: Readonly<Record<Place, number>> = {
  system: 0.5,
  user: 1,
  'tool-result': 1.6,
  document: 1.6,
  'tool-definition': 1,
  'tool-arguments': 1,
  reasoning: 0.5,
  refusal: 0.5,
  answer: 0.5,
}

/** Texts of others, who may well write about prompts and rules. */
const OF_OTHERS: ReadonlySet<Place> = new Set(['tool-result', 'document'])
/** The highest score there of what one rule finds in plain words. */
const MOST_OF_ONE_RULE = 0.89
/** Rules that find what is spoken of, and no order. */
const MENTIONS: ReadonlySet<string> = new Set([
  'system-prompt-mention',
  'jailbreak',
  'information-tag',
  'fake-role-header',
])

/** What a disguise says by itself of a text in which a rule matches. */
const DISGUISE = 0.4
/** Matches that are further apart are no sentence, whatever stands between them. */
const MOST_APART = 400

/** A match in one of the readings of a text. */
export interface Sighting extends Hit {
  readonly isDisguised: boolean
}

export interface ScoredSentence {
  /** The strongest rule. */
  readonly rule: string
  readonly score: number
  readonly start: number
  readonly end: number
}

const ENDS_SENTENCE = /[.!?。！？]\s|\n\s*\n/

/** Independent evidence: that all of it is innocent is as likely as all of it together. */
const combined = (weights: readonly number[]): number =>
  1 - weights.reduce((innocent, weight) => innocent * (1 - weight), 1)

/** Whether two rules that each find an order agree, in words of their own. */
const doRulesAgree = (sightings: readonly Sighting[]): boolean => {
  const orders = sightings.filter(({ rule }) => !MENTIONS.has(rule))
  return orders.some(a => orders.some(b => a.rule !== b.rule && (a.end <= b.start || b.end <= a.start)))
}

const scoreOf = (sightings: readonly Sighting[], place: Place): number => {
  const byRule = new Map<string, number>()
  for (const { rule, weight } of sightings) byRule.set(rule, Math.max(weight, byRule.get(rule) ?? 0))
  const isDisguised = sightings.some(sighting => sighting.isDisguised)
  const weights = [...byRule.values(), ...(isDisguised ? [DISGUISE] : [])]
  const score = 1 - (1 - combined(weights)) ** PLACE_WEIGHT[place]
  const isSure = isDisguised || !OF_OTHERS.has(place) || doRulesAgree(sightings)
  return isSure ? score : Math.min(score, MOST_OF_ONE_RULE)
}

/** Matches of one sentence, with a score from all rules that matched in it. */
export const sentencesOf = (sightings: readonly Sighting[], text: string, place: Place): ScoredSentence[] => {
  const sentences: Sighting[][] = []
  for (const sighting of sightings.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const current = sentences.at(-1)
    const last = current?.at(-1)
    const between = last && text.slice(last.end, Math.min(sighting.start, last.end + MOST_APART))
    const isSame = last && sighting.start - last.end < MOST_APART && !ENDS_SENTENCE.test(between ?? '')
    if (current && isSame) current.push(sighting)
    else sentences.push([sighting])
  }
  return sentences.map(sentence => ({
    rule: sentence.reduce((best, sighting) => (sighting.weight > best.weight ? sighting : best)).rule,
    score: Math.round(scoreOf(sentence, place) * 1000) / 1000,
    start: Math.min(...sentence.map(({ start }) => start)),
    end: Math.max(...sentence.map(({ end }) => end)),
  }))
}
