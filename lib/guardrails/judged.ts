import { GatewayError } from '../errors.ts'
import { failsClosed } from './judges/types.ts'
import type { GuardrailDeps } from './policy.ts'
import type { Profile } from './profile.ts'
import type { PlacedText, Verdict } from './types.ts'

/** How soon a judge may be back that gave no verdict. */
const RETRY_SECONDS = 5

/** Not a finding: the content may be harmless, and is not refused for good. */
const unchecked = (judge: string): GatewayError =>
  new GatewayError('MODEL_UNAVAILABLE', `The content could not be checked by ${judge}. Please try again.`, {
    retryAfterSeconds: RETRY_SECONDS,
  })

/**
 * What the judges of a profile say of each text. They are asked at the same time.
 * Rejects with MODEL_UNAVAILABLE where one gives no verdict that refuses content without.
 */
export const verdictsOfJudges = async (
  texts: readonly PlacedText[],
  { settings: { judges = [], isShadow } }: Profile,
  deps: Pick<GuardrailDeps, 'judgeOf'>,
  signal: AbortSignal,
): Promise<readonly (readonly Verdict[])[]> => {
  const wanted = judges.filter(({ places }) => texts.some(({ place }) => places.includes(place)))
  const byJudge = await Promise.all(
    wanted.map(async ({ name }) => {
      const judge = deps.judgeOf(name)
      if (!judge) return []
      const result = await judge.judge(texts, signal)
      if (failsClosed(judge, result) && !isShadow) throw unchecked(name)
      return result.verdicts
    }),
  )
  return texts.map((_, index) => byJudge.flatMap(ofJudge => ofJudge[index] ?? []))
}
