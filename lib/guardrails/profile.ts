import { createHash } from 'node:crypto'
import type { AnswerSchemaRule } from './answer-schema.ts'
import type { Judge } from './judges/types.ts'
import type { WordList } from './lists/word-list.ts'
import { ruleSet } from './registry.ts'
import { systemPromptLeak } from './sensitive/rail.ts'
import { SpanRails } from './span-rails.ts'
import {
  type Action,
  INPUT_PLACES,
  OUTPUT_PLACES,
  PLACES,
  type Place,
  type Rail,
  type SpanRail,
  type TextRail,
  type Verdict,
} from './types.ts'

/** What a rail that is not switched off does about what it finds. */
export type Decision = Action | 'ignore'

/** A list of words with what to do where one of them is found. */
export type WordListSettings = WordList & Readonly<{ action: Action }>

/** A judge as far as it decides what is done. */
export type JudgeUse = Pick<Judge, 'name' | 'places' | 'failMode' | 'action' | 'version'>

/** How the calls of a rule, or all others, are guarded. A rail that is absent is switched off. */
export type GuardrailSettings = Readonly<{
  /** Counts what is found, and does nothing about it. */
  isShadow?: boolean | undefined
  /** `flagFrom` and `blockFrom` are scores from 0 to 1. */
  injection?: Readonly<{ flagFrom: number; blockFrom: number; action: Action }> | undefined
  /** `input`: what goes to a model; `output`: what it writes. `kinds` differ from these. */
  sensitiveData?:
    | Readonly<{ input: Decision; output: Decision; kinds?: Readonly<Record<string, Decision>> | undefined }>
    | undefined
  canaries?: Readonly<{ values: readonly string[]; action: Action }> | undefined
  /** What happens where a model repeats its system prompt. */
  systemPromptLeak?: Action | undefined
  lists?: readonly WordListSettings[] | undefined
  /** Characters of one text. */
  longestInput?: number | undefined
  duplicates?: Readonly<{ most: number; windowMs: number; action: 'refuse' | 'slow' }> | undefined
  /** The external services that rate texts. */
  judges?: readonly JudgeUse[] | undefined
  /** Patterns of the models that may answer; all when absent. */
  allowedModels?: readonly string[] | undefined
  /** What is done about answers that do not match their JSON schema; absent: they are not checked. */
  answerSchema?: AnswerSchemaRule | undefined
  /** The model that answers where an action is `another-model`. */
  anotherModel?: string | undefined
  /** Put before everything else that a model reads. */
  systemPrompt?: string | undefined
}>

/** Whether a text goes to a model or comes from it. */
export type Direction = 'input' | 'output'

const SENSITIVE = 'sensitive-data'

/** How the rails look at one direction of a call. */
export class Guard {
  readonly #spans = new Map<Place, SpanRails>()
  readonly #spanRails: readonly SpanRail[]
  readonly #textRails: readonly TextRail[]
  readonly #settings: GuardrailSettings
  readonly direction: Direction
  /** Whether it looks for what stands in one call alone, so that its verdicts are not those on other calls. */
  readonly isOfOneCall: boolean

  constructor(
    rails: readonly Rail[],
    settings: GuardrailSettings,
    direction: Direction,
    isOfOneCall = false,
  ) {
    this.#settings = settings
    this.direction = direction
    this.isOfOneCall = isOfOneCall
    const places: readonly Place[] = direction === 'input' ? INPUT_PLACES : OUTPUT_PLACES
    const active = rails.filter(rail => rail.places.some(place => places.includes(place)))
    this.#spanRails = active.filter(rail => rail.type === 'span')
    this.#textRails = active.filter(rail => rail.type === 'text')
  }

  /** Whether there is no rail. */
  get isIdle(): boolean {
    const hasLeakRail = this.direction === 'output' && this.#settings.systemPromptLeak !== undefined
    return this.#spanRails.length === 0 && this.#textRails.length === 0 && !hasLeakRail
  }

  /** This guard with the system prompts of a call, which no answer may repeat. */
  withSystemPrompts(prompts: readonly string[]): Guard {
    if (!this.#settings.systemPromptLeak || prompts.length === 0) return this
    return new Guard(
      [...this.#spanRails, ...this.#textRails, systemPromptLeak(prompts)],
      this.#settings,
      this.direction,
      true,
    )
  }

  /** The rails that look at each position of a text of a place. */
  spansAt(place: Place): SpanRails {
    const known = this.#spans.get(place) ?? new SpanRails(this.#spanRails, place)
    this.#spans.set(place, known)
    return known
  }

  /** The rails that need the whole of it. */
  textRailsAt(place: Place): readonly TextRail[] {
    return this.#textRails.filter(rail => rail.places.includes(place))
  }

  /** What to do about a verdict; undefined where it is no finding. */
  actionOn({ rail, kind, rule, score }: Verdict): Action | undefined {
    const {
      injection,
      sensitiveData,
      canaries,
      systemPromptLeak: leak,
      lists = [],
      judges = [],
    } = this.#settings
    switch (rail) {
      case 'injection':
        if (!injection || score < injection.flagFrom) return undefined
        return score < injection.blockFrom ? 'flag' : injection.action
      case SENSITIVE: {
        const usual = sensitiveData?.[this.direction] ?? 'ignore'
        const decision = usual === 'ignore' ? usual : (sensitiveData?.kinds?.[kind] ?? usual)
        return decision === 'ignore' ? undefined : decision
      }
      case 'canary':
        return canaries?.action
      case 'system-prompt':
        return leak
      case 'longest-input':
        return 'block'
      case 'word-list':
      case 'topic-list':
        return lists.find(({ name }) => name === rule)?.action
      default:
        return judges.find(({ name }) => name === rail)?.action
    }
  }
}

/** How a group of calls is guarded. */
export type Profile = Readonly<{
  /** Changes whenever rules, data or settings do: part of the cache key. */
  version: string
  settings: GuardrailSettings
  input: Guard
  output: Guard
  /** Whether answers are changed, so that they are held back where something may begin that must not leave. */
  changesAnswers: boolean
}>

/** Whether a judge rates what models write. */
export const isForOutput = ({ places }: Pick<JudgeUse, 'places'>): boolean =>
  places.some(place => OUTPUT_PLACES.includes(place))

const CHANGES: ReadonlySet<Decision | undefined> = new Set(['redact', 'block', 'another-model'])

/** Whether a setting lets something be done about an answer, beyond a report of it. */
const changesAnswersBy = (settings: GuardrailSettings): boolean => {
  const { isShadow, sensitiveData, canaries, systemPromptLeak: leak, lists = [], judges = [] } = settings
  if (isShadow) return false
  const ofSensitive =
    sensitiveData && sensitiveData.output !== 'ignore'
      ? [sensitiveData.output, ...Object.values(sensitiveData.kinds ?? {})]
      : []
  const ofLists = lists
    .filter(({ places = PLACES }) => places.some(place => OUTPUT_PLACES.includes(place)))
    .map(({ action }) => action)
  // What blocks needs no other answer: it is decided before any of it leaves.
  const ofJudges = judges
    .filter(isForOutput)
    .filter(({ action }) => action === 'redact')
    .map(({ action }) => action)
  return [...ofSensitive, canaries?.action, leak, ...ofLists, ...ofJudges].some(action => CHANGES.has(action))
}

const without = (name: string, rails: readonly Rail[]): readonly Rail[] =>
  rails.filter(rail => rail.name !== name)

/** Whether a profile has a use for answers. */
export const looksAtAnswers = ({ output, settings: { judges = [] } }: Profile): boolean =>
  !output.isIdle || judges.some(isForOutput)

/** The rails of a group of calls. Throws where a list is wrong. */
export const profileOf = (settings: GuardrailSettings): Profile => {
  const { rails, version } = ruleSet({
    injection: settings.injection !== undefined,
    sensitiveData: settings.sensitiveData !== undefined,
    ...(settings.canaries && { canaries: settings.canaries.values }),
    lists: settings.lists ?? [],
    ...(settings.longestInput !== undefined && { mostInputCharacters: settings.longestInput }),
  })
  const { input = 'ignore', output = 'ignore' } = settings.sensitiveData ?? {}
  return {
    version: createHash('sha256')
      .update(JSON.stringify([version, settings]))
      .digest('base64url')
      .slice(0, 22),
    settings,
    input: new Guard(input === 'ignore' ? without(SENSITIVE, rails) : rails, settings, 'input'),
    output: new Guard(
      (output === 'ignore' ? without(SENSITIVE, rails) : rails).filter(
        ({ name }) => name !== 'longest-input',
      ),
      settings,
      'output',
    ),
    changesAnswers: changesAnswersBy(settings),
  }
}
