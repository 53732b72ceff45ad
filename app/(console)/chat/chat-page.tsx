'use client'

import { useCallback, useEffect, useRef } from 'react'
import { openSession } from '../gateway/session.ts'
import { HoldNotice } from '../hold-notice.tsx'
import { DownIcon, NewChatIcon } from '../icons.tsx'
import { preloadMarkdown } from '../markdown/lazy-markdown.tsx'
import { ModelPicker } from '../models/model-picker.tsx'
import { useModels } from '../models/use-models.ts'
import { useNotifications } from '../notifications/use-notifications.ts'
import { usePolledJobs } from '../notifications/use-polled-jobs.ts'
import { PageHeader } from '../page-header.tsx'
import { Status } from '../status.tsx'
import { announcement, newChatAnnouncement } from './announcement.ts'
import { Composer } from './composer/composer.tsx'
import { chatSession, useChat } from './conversation/use-chat.ts'
import { DROPPED, DroppedFilesNotice, useDroppedFiles } from './dropped-files-notice.tsx'
import { EmptyState } from './empty-state.tsx'
import { NewChatNotice } from './new-chat-notice.tsx'
import { SavedNote } from './saved-note.tsx'
import { ToolPicker } from './tools/tool-picker.tsx'
import { useTools } from './tools/use-tools.ts'
import { Transcript } from './transcript/transcript.tsx'
import { useFollow } from './transcript/use-follow.ts'
import { useStalled } from './transcript/use-stalled.ts'
import { useEscape } from './use-escape.ts'

/** The chat page. It uses only the gateway's public API. */
export function ChatPage() {
  const { models, model, asked, chooseModel } = useModels()
  const { tools, chosen, asked: askedTools, choose } = useTools()
  const chat = useChat()
  const { away, follow } = useFollow()
  const stalled = useStalled(chat.turns.at(-1)?.answer)
  const notificationBadge = useNotifications(usePolledJobs())
  const dropped = useDroppedFiles()
  const input = useRef<HTMLTextAreaElement>(null)
  useEscape(chat.answering, stop)
  useEffect(() => {
    void openSession()
    // On a touch screen focus would open the keyboard over the page.
    if (matchMedia('(pointer: fine)').matches) input.current?.focus()
  }, [])

  function send(question: string) {
    void chatSession().send(question, asked, askedTools)
    dropped.dismiss()
    follow()
  }

  const retry = useCallback(
    (asked = model) =>
      chatSession().retry(asked, tools.length > 0 ? tools.map(({ name }) => name) : undefined),
    [model, tools],
  )
  const continueAnswer = useCallback(() => {
    chatSession().continueAnswer(model)
    follow()
  }, [model, follow])

  /** The button that was pressed may be gone: the focus goes on with the question. */
  function thenWrite(act: () => void) {
    act()
    input.current?.focus()
  }

  return (
    <div className="flex min-h-dvh flex-col">
      <PageHeader at="/" finished={notificationBadge.count}>
        <button
          type="button"
          className="text-button"
          onClick={() => thenWrite(() => chatSession().newChat())}
        >
          <NewChatIcon /> <span className="max-sm:sr-only">New chat</span>
        </button>
      </PageHeader>
      <main id="main" tabIndex={-1} className="column flex flex-1 flex-col pt-4 pb-8">
        {chat.turns.length === 0 && (
          <EmptyState onPick={(...picked) => thenWrite(() => chatSession().draft.pick(...picked))} />
        )}
        {chat.turns.length > 0 && (
          <Transcript
            turns={chat.turns}
            models={models}
            onRetry={retry}
            onContinue={continueAnswer}
            onTakeBack={takeBack}
          />
        )}
      </main>
      <section aria-label="Ask" className="dock" onInput={preloadMarkdown}>
        {away && (
          <button type="button" className="to-end" onClick={follow}>
            <DownIcon /> Latest
          </button>
        )}
        {chat.newChat === 'undoable' && (
          <NewChatNotice onUndo={() => thenWrite(() => chatSession().undo())} />
        )}
        {dropped.files.length > 0 && (
          <DroppedFilesNotice files={dropped.files} onDismiss={() => thenWrite(dropped.dismiss)} />
        )}
        {chat.hold && <HoldNotice hold={chat.hold} onOver={endWait} />}
        <Composer
          answering={chat.answering}
          sending={chat.sending}
          held={chat.hold?.until !== undefined}
          onSend={send}
          onStop={stop}
          input={input}
        >
          <span className="flex min-w-0 items-center gap-1">
            <ModelPicker models={models} model={model} onChoose={chooseModel} />
            <ToolPicker tools={tools} chosen={chosen} onChoose={choose} />
          </span>
        </Composer>
        <p id="composer-hint" className="hint">
          <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> starts a new line, <kbd>Esc</kbd> stops
        </p>
        <SavedNote saved={chat.saved} onDelete={() => thenWrite(() => void chatSession().deleteAll())} />
      </section>
      <Status
        words={[
          newChatAnnouncement(chat.newChat),
          dropped.files.length > 0 ? DROPPED : '',
          chat.sending === undefined ? announcement(chat) : 'Sending…',
          stalled ? 'Still waiting for the model.' : '',
          notificationBadge.announcement,
        ]}
      />
    </div>
  )
}

const stop = () => chatSession().stop()
const takeBack = () => chatSession().takeBack()
const endWait = () => chatSession().endWait()
