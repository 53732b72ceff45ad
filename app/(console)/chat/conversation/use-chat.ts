import { useSyncExternalStore } from 'react'
import { ChatSession, type ChatState, initialState } from './chat-session.ts'
import { saveOnLeave } from './page-lifecycle.ts'

let session: ChatSession | undefined

/** The chat of this tab: one for all pages. Only in the browser; created when it is first used. */
export function chatSession(): ChatSession {
  if (!session) {
    session = new ChatSession()
    saveOnLeave(session)
  }
  return session
}

const subscribe = (listener: () => void) => chatSession().subscribe(listener)
const getState = () => chatSession().getState()
const getInitialState = () => initialState

/** The conversation as it is now. */
export const useChat = (): ChatState => useSyncExternalStore(subscribe, getState, getInitialState)

const subscribeDraft = (listener: () => void) => chatSession().draft.subscribe(listener)
const getDraft = () => chatSession().draft.get()
const getInitialDraft = () => ''

/** The question that is being written. */
export const useDraft = (): string => useSyncExternalStore(subscribeDraft, getDraft, getInitialDraft)
