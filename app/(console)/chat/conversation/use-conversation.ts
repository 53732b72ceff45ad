import { useCallback, useEffect, useEffectEvent, useReducer, useRef } from 'react'
import { ask } from '../../gateway/chat.ts'
import { sessionWithin } from '../../gateway/session.ts'
import { stopAnswer } from '../../gateway/stop.ts'
import type { ChatEvent, ChatRequest, Failure } from '../../gateway/wire.ts'
import type { Hold } from '../../hold-notice.tsx'
import { conversation, empty } from './conversation.ts'
import { toMessages } from './history.ts'
import { keepConversation, keptConversation } from './kept.ts'
import { paced } from './pace.ts'
import { isOpen } from './turn.ts'

const SESSION_WAIT_MS = 1_000
const PACE_MS = 50

/** A question in progress. */
type Run = {
  controller: AbortController
  /** Shows received text that is not shown yet. */
  flush: () => void
  /** The id of the resumable stream, once known. */
  streamId?: string
}

/**
 * The conversation and its actions. One question is in progress at a time. When the gateway requires a wait, the
 * question is withdrawn and passed to `onWithdrawn`, so that no typed text is lost.
 */
export function useConversation(model: string | undefined, onWithdrawn: (question: string) => void) {
  const [state, dispatch] = useReducer(conversation, empty, keptConversation)
  const running = useRef<Run>(undefined)
  const cancel = useEffectEvent(() => {
    running.current?.controller.abort()
    keepConversation(state)
  })
  useEffect(() => () => cancel(), [])

  const answering = isOpen(state.turns.at(-1)?.answer)

  async function run(request: ChatRequest, onWait: () => void) {
    const controller = new AbortController()
    const { add, flush } = paced<ChatEvent>(events => {
      if (controller.signal.aborted) return
      const hold = holdIn(events)
      dispatch(hold ? { type: 'wait-required', hold } : { type: 'received', events })
      if (hold) onWait()
    }, PACE_MS)
    const self: Run = { controller, flush }
    running.current = self
    await sessionWithin(SESSION_WAIT_MS)
    const onKept = (streamId: string) => {
      self.streamId = streamId
    }
    for await (const events of ask(request, controller.signal, onKept)) add(events)
    flush()
  }

  function send(question: string) {
    if (answering || state.hold?.until) return
    dispatch({ type: 'asked', question, model })
    const request = { messages: toMessages(state.turns, question), ...(model && { model }) }
    void run(request, () => onWithdrawn(question))
  }

  /** Asks the last question again, of the chosen model or of another one. */
  function retry(asked = model) {
    const last = state.turns.at(-1)
    if (!last || answering || state.hold?.until) return
    dispatch({ type: 'asked-again', model: asked })
    const messages = toMessages(state.turns.slice(0, -1), last.question)
    void run({ messages, cache: 'refresh', ...(asked && { model: asked }) }, () => undefined)
  }

  async function stop() {
    const run = running.current
    run?.flush()
    run?.controller.abort()
    dispatch({ type: 'stopped' })
    if (!run?.streamId) return
    const text = await stopAnswer(run.streamId)
    if (text !== undefined && running.current === run) dispatch({ type: 'stopped-at', text })
  }

  function clear() {
    if (answering) void stop()
    dispatch({ type: 'cleared' })
  }

  function takeBack() {
    const last = state.turns.at(-1)
    if (!last) return
    dispatch({ type: 'taken-back' })
    onWithdrawn(last.question)
  }

  const endWait = useCallback(() => dispatch({ type: 'wait-over' }), [])
  return { ...state, answering, send, retry, stop, clear, takeBack, endWait }
}

/** A limit refuses before the answer begins, so it is always the only event. */
function holdIn([event]: ChatEvent[]): Hold | undefined {
  const failure = event?.type === 'error' ? event.failure : undefined
  return failure?.status === 429 ? { failure, until: waitUntil(failure) } : undefined
}

function waitUntil({ retryAfterSeconds }: Failure): number | undefined {
  return retryAfterSeconds ? Date.now() + retryAfterSeconds * 1_000 : undefined
}
