import type { StreamPosition } from '../../gateway/resumable-stream.ts'
import type { ChatEvent, Expense, Facts, Failure, Start, ToolRun } from '../../gateway/wire.ts'

/** One question and its answer. */
export type Turn = {
  id: number
  question: string
  /** The requested model; `undefined` leaves the choice to the gateway. */
  model: string | undefined
  /** The gateway's tools that the model may use. */
  tools?: readonly string[]
  answer: Answer
  /** The answer that is being asked for again, until the new one has text. */
  previous?: Answer
}

/** The tools that the gateway has run for an answer, in the order of their calls. */
type WithTools = { tools?: ToolRun[] }

export type Answer =
  | { state: 'waiting'; position?: StreamPosition }
  | (WithTools & {
      state: 'streaming'
      text: string
      start?: Start
      connection?: 'lost' | 'back'
      /** Where the stream continues after `text`; absent where it cannot be resumed. */
      position?: StreamPosition
    })
  | (WithTools & { state: 'done'; text: string; facts: Facts })
  | (WithTools & { state: 'stopped'; text: string; start?: Start; expense?: Expense })
  | (WithTools & { state: 'failed'; text: string; start?: Start; failure: Failure })

export const waiting: Answer = { state: 'waiting' }

export function textOf(answer: Answer): string {
  return answer.state === 'waiting' ? '' : answer.text
}

export function toolsOf(answer: Answer): readonly ToolRun[] {
  return (answer.state !== 'waiting' && answer.tools) || []
}

/** What was known when the answer began; undefined where it has not begun. */
export function startOf(answer: Answer): Start | undefined {
  return answer.state === 'waiting' || answer.state === 'done' ? undefined : answer.start
}

export function isOpen(answer: Answer | undefined): boolean {
  return answer?.state === 'waiting' || answer?.state === 'streaming'
}

/** The answer after one more event from the gateway. */
export function afterEvent(answer: Answer, event: ChatEvent): Answer {
  const text = textOf(answer)
  const position = positionIn(answer)
  const start = startOf(answer)
  const tools = toolsIn(answer)
  const begun = { text, ...(start && { start }), ...tools }
  switch (event.type) {
    case 'start':
      return { state: 'streaming', text, start: event.start, ...tools, ...position }
    case 'tool':
      return { state: 'streaming', ...begun, tools: withTool(toolsOf(answer), event.tool), ...position }
    case 'delta':
      return answer.state === 'streaming'
        ? { ...answer, text: text + event.text }
        : { state: 'streaming', text: event.text, ...position }
    case 'lost':
    case 'back':
      return { state: 'streaming', ...begun, connection: event.type, ...position }
    case 'done':
      return { state: 'done', text, facts: event.facts, ...tools }
    case 'error':
      return {
        state: 'failed',
        text,
        ...(start && { start }),
        ...endedToolsIn(answer),
        failure: event.failure,
      }
  }
}

/** An answer in progress with the position at which its stream continues; any other answer unchanged. */
export function atPosition(answer: Answer, position: StreamPosition | undefined): Answer {
  return position && (answer.state === 'waiting' || answer.state === 'streaming')
    ? { ...answer, position }
    : answer
}

function toolsIn(answer: Answer): WithTools {
  const tools = toolsOf(answer)
  return tools.length > 0 ? { tools: [...tools] } : {}
}

/** Without those that an answer's early end has ended as well. */
function endedToolsIn(answer: Answer): WithTools {
  const tools = toolsOf(answer).filter(({ state }) => state !== 'running')
  return tools.length > 0 ? { tools } : {}
}

/** A run replaces what was known of it before. */
function withTool(tools: readonly ToolRun[], run: ToolRun): ToolRun[] {
  return tools.some(({ id }) => id === run.id)
    ? tools.map(tool => (tool.id === run.id ? run : tool))
    : [...tools, run]
}

function positionIn(answer: Answer): { position?: StreamPosition } {
  return 'position' in answer ? { position: answer.position } : {}
}

/**
 * Puts the previous answer's text back where the new one ended without any, and forgets it once the new one has text.
 */
export function withPrevious({ previous, ...turn }: Turn): Turn {
  const { answer } = turn
  if (!previous || textOf(answer) !== '' || answer.state === 'done') return turn
  if (answer.state === 'stopped') return { ...turn, answer: previous }
  if (answer.state === 'failed') return { ...turn, answer: { ...answer, text: textOf(previous) } }
  return { ...turn, previous }
}

export function stopped(answer: Answer): Answer {
  if (!isOpen(answer)) return answer
  const start = startOf(answer)
  return { state: 'stopped', text: textOf(answer), ...(start && { start }), ...endedToolsIn(answer) }
}

/** What the gateway says of a stopped answer: all of its text, some of which was in transit, and what it has cost. */
export type StoppedEnd = { text?: string; expense?: Expense }

export function stoppedAt(answer: Answer, { text, expense }: StoppedEnd): Answer {
  if (answer.state !== 'stopped') return answer
  return { ...answer, ...(text !== undefined && { text }), ...(expense && { expense: only(expense) }) }
}

const only = ({ usage, costUsd }: Expense): Expense => ({ ...(usage && { usage }), costUsd })

/** What an answer that did not complete has cost: zero where no provider was called, undefined where unknown. */
export function partialExpense(answer: Answer): Expense | undefined {
  if (answer.state === 'stopped') return answer.expense
  if (answer.state !== 'failed') return undefined
  const { expense, attempts } = answer.failure
  return expense ?? (attempts === 0 ? { costUsd: 0 } : undefined)
}
