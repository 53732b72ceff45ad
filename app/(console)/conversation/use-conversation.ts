import { useCallback, useEffect, useReducer, useRef } from 'react'
import { ask } from '../gateway/chat.ts'
import { sessionWithin } from '../gateway/session.ts'
import type { ChatEvent, ChatRequest, Failure } from '../gateway/wire.ts'
import { conversation, empty, type Hold } from './conversation.ts'
import { toMessages } from './history.ts'
import { paced } from './pace.ts'
import { isOpen } from './turn.ts'

const SESSION_WAIT_MS = 1_000
const PACE_MS = 50

/**
 * The conversation and everything that can happen to it. One question is under way at a time.
 * When the gateway says to wait, the question is withdrawn and handed to `onWithdrawn`, so that nothing typed is lost.
 */
export function useConversation(model: string | undefined, onWithdrawn: (question: string) => void) {
  const [state, dispatch] = useReducer(conversation, empty)
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])

  const answering = isOpen(state.turns.at(-1)?.answer)

  async function run(request: ChatRequest, onWait: () => void) {
    const controller = new AbortController()
    running.current = controller
    const { add, flush } = paced<ChatEvent>(events => {
      if (controller.signal.aborted) return
      const hold = holdIn(events)
      dispatch(hold ? { type: 'told-to-wait', hold } : { type: 'received', events })
      if (hold) onWait()
    }, PACE_MS)
    await sessionWithin(SESSION_WAIT_MS)
    for await (const events of ask(request, controller.signal)) add(events)
    flush()
  }

  function send(question: string) {
    if (answering || state.hold?.until) return
    dispatch({ type: 'asked', question, model })
    const request = { messages: toMessages(state.turns, question), ...(model && { model }) }
    void run(request, () => onWithdrawn(question))
  }

  function retry() {
    const last = state.turns.at(-1)
    if (!last || answering || state.hold?.until) return
    dispatch({ type: 'asked-again', model })
    const messages = toMessages(state.turns.slice(0, -1), last.question)
    void run({ messages, cache: 'refresh', ...(model && { model }) }, () => undefined)
  }

  function stop() {
    running.current?.abort()
    dispatch({ type: 'stopped' })
  }

  function clear() {
    running.current?.abort()
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
