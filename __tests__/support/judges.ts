import { Agent } from 'undici'
import { type Clock, systemClock } from '#lib/clock.ts'
import { JudgeRuntime, type JudgeSettings } from '#lib/guardrails/judges/registry.ts'
import type { Judge, JudgeReport, JudgeResult } from '#lib/guardrails/judges/types.ts'
import type { PlacedText } from '#lib/guardrails/types.ts'
import { ServiceClient } from '#lib/tools/service-fetch.ts'
import type { Received } from './fake-service.ts'

/** Judges over real sockets, whose reports and circuits are kept. */
export const newJudges = (clock: Clock = systemClock) => {
  const reports: JudgeReport[] = []
  const circuits: string[] = []
  const ids = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  const runtime = new JudgeRuntime({
    client: new ServiceClient({ dispatcher: new Agent(), isProxied: false, userAgent: 'Parley/test', clock }),
    clock,
    random: () => 0,
    newId: () => `delivery-${ids.shift()}`,
    onReport: report => reports.push(report),
    onCircuit: (judge, { name }) => circuits.push(`${judge} ${name}`),
  })
  const judgeOf = (settings: JudgeSettings): Judge => {
    const [judge] = runtime.judgesOf([settings])
    if (!judge) throw new Error('there is no judge')
    return judge
  }
  return { runtime, judgeOf, reports, circuits }
}

export const NEVER = new AbortController().signal

export const said = (...texts: string[]): readonly PlacedText[] =>
  texts.map(text => ({ text, place: 'user' }))

export const ask = (judge: Judge, texts: readonly PlacedText[], signal = NEVER): Promise<JudgeResult> =>
  judge.judge(texts, signal)

export const bodyOf = ({ body }: Received): Record<string, unknown> => JSON.parse(body)

/** What OpenAI answers for texts: `violence` for those that contain the word. */
export const moderationOf = (input: readonly string[]) => ({
  id: 'modr-1',
  model: 'omni-moderation-latest',
  results: input.map(text => ({
    flagged: text.includes('violence'),
    categories: { violence: text.includes('violence'), hate: false, illicit: null },
    category_scores: { violence: text.includes('violence') ? 0.9 : 0.01, hate: 0.3, illicit: null },
  })),
})
