import { wait } from '../format.ts'
import { withoutWait } from '../gateway/failure.ts'
import { type ToolRun, wasCut } from '../gateway/wire.ts'
import type { ChatState } from './conversation/chat-session.ts'
import type { Conversation } from './conversation/conversation.ts'
import { toolAsWords } from './tools/tool-words.ts'

/** The text of the page's one `role=status`: that an answer begins, ends or fails. Never the answer itself. */
export function announcement({ turns, hold, waited }: Conversation): string {
  if (hold) return `${withoutWait(hold.failure)} ${untilThen(hold.failure.retryAfterSeconds)}`
  if (waited) return 'You can send now.'
  const answer = turns.at(-1)?.answer
  switch (answer?.state) {
    case undefined:
      return ''
    case 'waiting':
      return 'Question sent.'
    case 'streaming':
      return answer.connection ? connectionAsWords(answer.connection) : streaming(answer.tools)
    case 'stopped':
      return 'The answer was stopped.'
    case 'failed':
      return `The answer failed. ${withoutWait(answer.failure)}`
    case 'done':
      return wasCut(answer.facts) ? 'The answer reached its length limit.' : 'The answer is complete.'
  }
}

const connectionAsWords = (connection: 'lost' | 'back'): string =>
  connection === 'lost' ? 'Connection lost. Reconnecting…' : 'Reconnected.'

function streaming(tools: readonly ToolRun[] = []): string {
  const running = tools.filter(({ state }) => state === 'running').map(({ name }) => toolAsWords(name))
  return running.length > 0 ? `Tool running: ${running.join(', ')}.` : 'The answer has begun.'
}

function untilThen(seconds: number | undefined): string {
  return seconds ? `You can send again in ${wait(seconds)}. Your draft is kept.` : 'Your draft is kept.'
}

/** That a conversation was replaced by a new one, or is back. */
export function newChatAnnouncement(newChat: ChatState['newChat']): string {
  if (newChat === 'undoable') return 'New chat started. You can undo this.'
  return newChat === 'undone' ? 'Previous chat restored.' : ''
}
