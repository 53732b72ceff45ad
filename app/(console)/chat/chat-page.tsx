'use client'

import { useEffect, useRef, useState } from 'react'
import { openSession } from '../gateway/session.ts'
import { HoldNotice } from '../hold-notice.tsx'
import { DownIcon, NewChatIcon } from '../icons.tsx'
import { loadMarkdown } from '../markdown/lazy-markdown.tsx'
import { ModelPicker } from '../models/model-picker.tsx'
import { useModels } from '../models/use-models.ts'
import { useNotifications } from '../notifications/use-notifications.ts'
import { usePolledJobs } from '../notifications/use-polled-jobs.ts'
import { PageHeader } from '../page-header.tsx'
import { Status } from '../status.tsx'
import { announcement } from './announcement.ts'
import { Composer } from './composer/composer.tsx'
import { useConversation } from './conversation/use-conversation.ts'
import { EmptyState } from './empty-state.tsx'
import { Transcript } from './transcript/transcript.tsx'
import { useFollow } from './transcript/use-follow.ts'
import { useStalled } from './transcript/use-stalled.ts'
import { useEscape } from './use-escape.ts'

/** The chat page. It uses only the gateway's public API. */
export function ChatPage() {
  const { models, model, chooseModel } = useModels()
  const [draft, setDraft] = useState('')
  const chat = useConversation(model, question => setDraft(later => joined(question, later)))
  const { away, follow } = useFollow()
  const stalled = useStalled(chat.turns.at(-1)?.answer)
  const notificationBadge = useNotifications(usePolledJobs())
  const input = useRef<HTMLTextAreaElement>(null)
  useEscape(chat.answering, chat.stop)
  useEffect(() => {
    void openSession()
    void loadMarkdown()
    // On a touch screen focus would open the keyboard over the page.
    if (matchMedia('(pointer: fine)').matches) input.current?.focus()
  }, [])

  function send(question: string) {
    chat.send(question)
    setDraft('')
    follow()
  }

  function continueAnswer() {
    chat.send('Continue exactly where you stopped.')
    follow()
  }

  function write(question: string) {
    setDraft(question)
    input.current?.focus()
  }

  function newChat() {
    chat.clear()
    input.current?.focus()
  }

  return (
    <div className="flex min-h-dvh flex-col">
      <PageHeader at="/" finished={notificationBadge.count}>
        <button type="button" className="text-button" onClick={newChat}>
          <NewChatIcon /> <span className="max-sm:sr-only">New chat</span>
        </button>
      </PageHeader>
      <main id="main" tabIndex={-1} className="column flex flex-1 flex-col pt-4 pb-8">
        {chat.turns.length === 0 && <EmptyState onPick={write} />}
        {chat.turns.length > 0 && (
          <Transcript
            turns={chat.turns}
            models={models}
            onRetry={chat.retry}
            onContinue={continueAnswer}
            onTakeBack={chat.takeBack}
          />
        )}
      </main>
      <section aria-label="Ask" className="dock">
        {away && (
          <button type="button" className="to-end" onClick={follow}>
            <DownIcon /> Latest
          </button>
        )}
        {chat.hold && <HoldNotice hold={chat.hold} onOver={chat.endWait} />}
        <Composer
          draft={draft}
          onDraft={setDraft}
          answering={chat.answering}
          held={chat.hold?.until !== undefined}
          onSend={send}
          onStop={chat.stop}
          input={input}
        >
          <ModelPicker models={models} model={model} onChoose={chooseModel} />
        </Composer>
        <p id="composer-hint" className="hint">
          <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> starts a new line, <kbd>Esc</kbd> stops
        </p>
      </section>
      <Status
        words={[
          announcement(chat),
          stalled ? 'Still waiting for the model.' : '',
          notificationBadge.announcement,
        ]}
      />
    </div>
  )
}

function joined(question: string, later: string): string {
  return later.trim() ? `${question}\n\n${later}` : question
}
