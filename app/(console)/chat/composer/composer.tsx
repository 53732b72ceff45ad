import { type FormEvent, type KeyboardEvent, type ReactNode, type RefObject, useLayoutEffect } from 'react'
import { MAX_CHARACTERS } from '../conversation/history.ts'
import { chatSession, useDraft } from '../conversation/use-chat.ts'
import { SendOrStop } from './send-or-stop.tsx'

type Props = {
  answering: boolean
  /** A question that is sent as soon as the page knows its conversation. */
  sending: string | undefined
  /** True while the gateway requires a wait. */
  held: boolean
  onSend: (question: string) => void
  onStop: () => void
  input: RefObject<HTMLTextAreaElement | null>
  /** The pickers of the model and of tools. */
  children: ReactNode
}

/** The field for questions. The draft stays editable while an answer arrives. */
export function Composer({ answering, sending, held, onSend, onStop, input, children }: Props) {
  const draft = useDraft()
  useLayoutEffect(() => takeOver(input.current), [input])
  const excess = excessOf(draft)
  const free = !answering && !held && sending === undefined
  const isSendable = (text: string) => free && text.trim() !== '' && excessOf(text) <= 0

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const question = chatSession().draft.get()
    if (isSendable(question)) onSend(question.trim())
  }

  return (
    <form className="composer" data-asked={sending} onSubmit={submit} suppressHydrationWarning>
      <textarea
        ref={input}
        name="question"
        dir="auto"
        aria-label="Your question"
        aria-describedby="composer-hint"
        placeholder="Ask anything"
        rows={1}
        autoComplete="off"
        value={sending ?? draft}
        readOnly={sending !== undefined}
        onChange={event => chatSession().draft.set(event.target.value)}
        onKeyDown={sendOnEnter}
      />
      <div className="flex items-center justify-between gap-3 px-2 pb-2">
        {children}
        {excess > 0 && (
          <p className="text-sm text-danger">{excess.toLocaleString('en')} characters too long</p>
        )}
        <p className="sending-note">Sending…</p>
        <SendOrStop answering={answering} sendable={isSendable(draft)} onStop={onStop} />
      </div>
    </form>
  )
}

/** Keeps what was typed, or put there by an example, before this page's scripts were loaded. */
function takeOver(field: HTMLTextAreaElement | null) {
  if (!field) return
  if (field.value) chatSession().draft.set(field.value)
}

const excessOf = (text: string): number => text.trim().length - MAX_CHARACTERS

/** Enter also ends a composition in Chinese, Japanese or Korean input; that one is not ours. */
function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>) {
  if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
  event.preventDefault()
  event.currentTarget.form?.requestSubmit()
}
