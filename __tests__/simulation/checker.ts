import { all, type History, type Of } from './history.ts'
import { PROMISES } from './parts.ts'

type Rule = (history: History) => readonly string[]

/** What the catalogue allows beyond every deadline, and the time a call may wait for a slot after it. */
const SLACK_MS = 1_000 + PROMISES.slots.waitMs

const by = <Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): ReadonlyMap<Key, readonly Item[]> => Map.groupBy(items, keyOf)

const endsOf = (history: History) => by(all(history, 'ended'), ({ call }) => call)
const attemptsOf = (history: History) => by(all(history, 'attempt'), ({ call }) => call)

const oneReplyAndOneEnd: Rule = history => {
  const ends = endsOf(history)
  const replies = by(all(history, 'replied'), ({ call }) => call)
  const left = new Set(all(history, 'left').map(({ call }) => call))
  return all(history, 'asked').flatMap(({ call }) => {
    const [replied, ended] = [replies.get(call)?.length ?? 0, ends.get(call)?.length ?? 0]
    const isLeft = left.has(call) && ended === 0
    return [
      ...(replied > 1 ? [`${call} got ${replied} replies`] : []),
      ...(ended === 1 || isLeft ? [] : [`${call} came to ${ended} ends`]),
    ]
  })
}

const nothingAfterTheEnd: Rule = history => {
  const over = new Set<string>()
  return history.flatMap(one => {
    if (one.type === 'ended') over.add(one.call)
    return one.type === 'said' && over.has(one.call) ? [`${one.call} was told more after its end`] : []
  })
}

const limitsHold: Rule = history => {
  const { limit, windowMs } = PROMISES.limit
  const ends = endsOf(history)
  const isRefused = ({ call }: Of<'asked'>) => ends.get(call)?.[0]?.code === 'RATE_LIMITED'
  return [...by(all(history, 'asked'), ({ caller }) => caller)].flatMap(([caller, asked]) => {
    const admitted = asked.filter(one => !isRefused(one))
    const before = (now: number) => admitted.filter(({ at }) => at <= now && at > now - windowMs).length
    return [
      ...admitted
        .filter(({ at }) => before(at) > limit)
        .map(({ at }) => `${caller} was let in too often at ${at}`),
      ...asked
        .filter(one => isRefused(one) && before(one.at) < limit)
        .map(({ at }) => `${caller} was refused too early at ${at}`),
    ]
  })
}

const fewAttempts: Rule = history =>
  [...attemptsOf(history)]
    .filter(([, attempts]) => attempts.length > PROMISES.mostAttempts)
    .map(([call, attempts]) => `${call} was attempted ${attempts.length} times`)

const noAttemptAfterContent: Rule = history => {
  const callOf = new Map(all(history, 'attempt').map(({ attempt, call }) => [attempt, call]))
  const answered = new Set<string | undefined>()
  return history.flatMap(one => {
    if (one.type === 'content') answered.add(callOf.get(one.attempt))
    return one.type === 'attempt' && answered.has(one.call)
      ? [`${one.call} was attempted again after its first content`]
      : []
  })
}

const attemptsEndOnce: Rule = history => {
  const ends = by(all(history, 'attempt-over'), ({ attempt }) => attempt)
  return all(history, 'attempt').flatMap(({ attempt }) => {
    const ended = ends.get(attempt)?.length ?? 0
    return ended === 1 ? [] : [`${attempt} ended ${ended} times`]
  })
}

const slotsHold: Rule = history => {
  const providerOf = new Map(all(history, 'attempt').map(({ attempt, provider }) => [attempt, provider]))
  const taken = new Map<string, number>()
  return history.flatMap(one => {
    if (one.type !== 'attempt' && one.type !== 'attempt-over') return []
    const provider = providerOf.get(one.attempt) ?? ''
    const now = (taken.get(provider) ?? 0) + (one.type === 'attempt' ? 1 : -1)
    taken.set(provider, now)
    return now > PROMISES.slots.most ? [`${now} attempts at ${provider} at once`] : []
  })
}

const oneProbe: Rule = history => {
  const probes = new Map<string, number>()
  return history.flatMap(one => {
    if (one.type === 'permit-over') {
      for (const [target, permit] of probes) if (permit === one.permit) probes.delete(target)
      return []
    }
    if (one.type !== 'permit' || one.state === 'closed') return []
    if (one.state === 'open') return [`the open circuit of ${one.target} let a call through`]
    const isSecond = probes.has(one.target)
    probes.set(one.target, one.permit)
    return isSecond ? [`the half-open circuit of ${one.target} let a second call through`] : []
  })
}

const permitsEnd: Rule = history => {
  const ended = new Set(all(history, 'permit-over').map(({ permit }) => permit))
  return all(history, 'permit')
    .filter(({ permit }) => !ended.has(permit))
    .map(({ permit, target }) => `permit ${permit} of ${target} was never given back`)
}

const deadlinesHold: Rule = history => {
  const ends = endsOf(history)
  const replies = by(all(history, 'replied'), ({ call }) => call)
  const lefts = by(all(history, 'left'), ({ call }) => call)
  return all(history, 'asked').flatMap(({ call, at, stream, deadlineAt, prompt }) => {
    const [reply, end, left] = [replies.get(call)?.[0], ends.get(call)?.[0], lefts.get(call)?.[0]]
    // Whoever joins a stream under way for JSON waits for its end.
    const joined = !stream && reply?.cache === 'hit'
    const inTime = (stream ? (reply ?? end) : end)?.at ?? left?.at ?? Number.POSITIVE_INFINITY
    const streamed = (end ?? left)?.at ?? Number.POSITIVE_INFINITY
    return [
      ...(inTime > deadlineAt + SLACK_MS && (stream || prompt) && !joined
        ? [`${call} was answered at ${inTime}, not by ${deadlineAt}`]
        : []),
      ...(prompt && streamed > at + PROMISES.streamMs + SLACK_MS
        ? [`${call} streamed until ${streamed}`]
        : []),
    ]
  })
}

const billedOnce: Rule = history => {
  const bills = by(all(history, 'billed'), ({ answer }) => answer)
  const replies = by(all(history, 'replied'), ({ answer }) => answer)
  const callOf = new Map(all(history, 'attempt').map(({ attempt, call }) => [attempt, call]))
  const repliedTo = new Set(all(history, 'replied').map(({ call }) => call))
  return all(history, 'attempt-over').flatMap(({ attempt, how, outputTokens }) => {
    const paid = bills.get(attempt)?.filter(({ costPicoUsd }) => costPicoUsd !== 0) ?? []
    // Whoever asked may have left before the first content, and others go on: to each of them it is a repeated one.
    const isOwed = replies.has(attempt) && repliedTo.has(callOf.get(attempt) ?? '')
    return [
      ...(paid.length > 1 || (isOwed && paid.length === 0)
        ? [`the answer of ${attempt} was billed ${paid.length} times`]
        : []),
      ...(how === 'complete' && paid.some(bill => bill.outputTokens !== outputTokens)
        ? [`the answer of ${attempt} was billed for other tokens than its ${outputTokens}`]
        : []),
    ]
  })
}

const nobodyElsesAnswer: Rule = history => {
  const asked = new Map(all(history, 'asked').map(one => [one.call, one]))
  const answers = new Map(all(history, 'replied').map(({ call, answer }) => [call, answer]))
  return all(history, 'said').flatMap(({ call, text }) =>
    text
      .split(';')
      .filter(piece => piece !== '' && piece !== `${asked.get(call)?.mark} by ${answers.get(call)}`)
      .map(piece => `${call} (${asked.get(call)?.mark}) was told “${piece}”`),
  )
}

const allAtRest: Rule = history => {
  const rest = all(history, 'rest')
  if (rest.length !== 1) return [`it came to rest ${rest.length} times`]
  const idle = all(history, 'idle').filter(({ timers }) => timers > 0)
  return rest.flatMap(({ timers, listeners, freeSlots }) => [
    ...idle.map(({ at, timers: left }) => `${left} timers waited for nobody at ${at}`),
    ...(timers > 0 ? [`${timers} timers were left`] : []),
    ...(listeners > 0 ? [`${listeners} listeners were left`] : []),
    ...Object.entries(freeSlots)
      .filter(([, free]) => free !== PROMISES.slots.most)
      .map(([provider, free]) => `${provider} has ${free} of ${PROMISES.slots.most} slots left`),
  ])
}

/** Every promise, by the name under which a violation is told. */
export const RULES = {
  oneReplyAndOneEnd,
  nothingAfterTheEnd,
  limitsHold,
  fewAttempts,
  noAttemptAfterContent,
  attemptsEndOnce,
  slotsHold,
  oneProbe,
  permitsEnd,
  deadlinesHold,
  billedOnce,
  nobodyElsesAnswer,
  allAtRest,
} as const satisfies Record<string, Rule>

/** All that a history should not hold; empty for one that keeps every promise. */
export const violations = (history: History): readonly string[] =>
  Object.entries(RULES).flatMap(([name, rule]) => rule(history).map(violation => `${name}: ${violation}`))
