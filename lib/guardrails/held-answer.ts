import { GatewayError } from '../errors.ts'
import { charactersOf } from '../llm/events.ts'
import type { EventGroup, Reply } from '../llm/types.ts'

/** Code units that are held back at most. */
const MOST_HELD = 8_388_608

/** An answer with all its events. */
export type HeldAnswer = Readonly<{ reply: Reply; groups: readonly EventGroup[] }>

/** Reads an answer to its end. Throws the error that ends it: nothing of it has been passed on. @param why it is held */
export const held = async (reply: Reply, why: string): Promise<HeldAnswer> => {
  const groups: EventGroup[] = []
  let length = 0
  for await (const group of reply.events) {
    groups.push(group)
    for (const event of group) {
      if (event.type === 'error') throw event.error
      length += charactersOf(event)
    }
    // Leaving the loop stops the upstream.
    if (length > MOST_HELD)
      throw new GatewayError('PROVIDER_ERROR', `The model's answer is too long to be checked ${why}.`)
  }
  return { reply, groups }
}

async function* eventsOf(groups: readonly EventGroup[]): AsyncGenerator<EventGroup> {
  yield* groups
}

/** The answer again. */
export const replayed = ({ reply, groups }: HeldAnswer): Reply => ({ ...reply, events: eventsOf(groups) })

/** The answer with more warnings. */
export const withWarnings = <Answer extends HeldAnswer>(answer: Answer, added: readonly string[]): Answer =>
  added.length === 0
    ? answer
    : {
        ...answer,
        groups: answer.groups.map(group =>
          group.map(event =>
            event.type === 'finish' ? { ...event, warnings: [...(event.warnings ?? []), ...added] } : event,
          ),
        ),
      }
