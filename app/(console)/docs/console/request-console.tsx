import { useEffect, useRef, useState } from 'react'
import { CopyButton } from '../../copy-button.tsx'
import { useApiKey } from './api-key.ts'
import { curlOf, type FirstDraft } from './draft.ts'
import { type Exchange, exchange } from './exchange.ts'
import { ExchangeView } from './exchange-view.tsx'
import { RequestFields } from './request-fields.tsx'

const RUNNING: Exchange['state'][] = ['waiting', 'receiving']

/** Edits and sends one request, and shows what comes back while it comes. */
export function RequestConsole({ first }: { first: FirstDraft }) {
  const [draft, setDraft] = useState(first)
  const [file, setFile] = useState<File>()
  const [key, setKey] = useApiKey()
  const [shown, setShown] = useState<Exchange>({ state: 'none' })
  const running = useRef<AbortController>(undefined)
  const isRunning = RUNNING.includes(shown.state)
  useEffect(() => () => running.current?.abort(), [])

  function send() {
    const controller = new AbortController()
    running.current = controller
    void exchange({ draft, key, file, fileField: draft.fileField, signal: controller.signal }, setShown)
  }

  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        if (isRunning) running.current?.abort()
        else send()
      }}
    >
      <RequestFields draft={draft} onWrite={fields => setDraft({ ...draft, ...fields })} onFile={setFile} />
      <label className="field mt-3">
        API key
        <input
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="Optional, never saved"
          value={key}
          onChange={event => setKey(event.target.value)}
        />
      </label>
      <div className="mt-3 flex items-center gap-2">
        <button type="submit" className={isRunning ? 'outline-button' : 'solid-button'}>
          {isRunning ? 'Stop' : 'Send'}
        </button>
        <CopyButton label="Copy as curl" text={() => curlOf(draft, location.origin, key !== '')} />
      </div>
      <ExchangeView exchange={shown} />
    </form>
  )
}
