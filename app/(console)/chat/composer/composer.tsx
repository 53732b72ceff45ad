import type { FormEvent, KeyboardEvent, ReactNode, Ref } from 'react'
import { MAX_CHARACTERS } from '../conversation/history.ts'
import { SendOrStop } from './send-or-stop.tsx'

type Props = {
  draft: string
  onDraft: (draft: string) => void
  answering: boolean
  /** True while the gateway requires a wait. */
  held: boolean
  onSend: (question: string) => void
  onStop: () => void
  input: Ref<HTMLTextAreaElement>
  /** The model picker. */
  children: ReactNode
}

/** The field for questions. The draft stays editable while an answer arrives. */
export function Composer({ draft, onDraft, answering, held, onSend, onStop, input, children }: Props) {
  const excess = draft.trim().length - MAX_CHARACTERS
  const sendable = draft.trim() !== '' && excess <= 0 && !answering && !held

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (sendable) onSend(draft.trim())
  }

  return (
    <form className="composer" onSubmit={submit}>
      <textarea
        ref={input}
        name="question"
        dir="auto"
        aria-label="Your question"
        aria-describedby="composer-hint"
        placeholder="Ask anything"
        rows={1}
        autoComplete="off"
        value={draft}
        onChange={event => onDraft(event.target.value)}
        onKeyDown={sendOnEnter}
      />
      <div className="flex items-center justify-between gap-3 px-2 pb-2">
        {children}
        {excess > 0 && (
          <p className="text-sm text-danger">{excess.toLocaleString('en')} characters too long</p>
        )}
        <SendOrStop answering={answering} sendable={sendable} onStop={onStop} />
      </div>
    </form>
  )
}

/** Enter also ends a composition in Chinese, Japanese or Korean input; that one is not ours. */
function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>) {
  if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
  event.preventDefault()
  event.currentTarget.form?.requestSubmit()
}
