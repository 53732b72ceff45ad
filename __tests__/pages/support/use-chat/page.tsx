import { useChat } from '@ai-sdk/react'
import { useState } from 'react'
import { createRoot } from 'react-dom/client'

/** An application's page as the AI SDK's documentation has it: `useChat` with nothing set up. */
function Page() {
  const { messages, sendMessage, stop, status, error } = useChat()
  const [text, setText] = useState('')
  return (
    <main>
      <ol>
        {messages.map(({ id, role, parts }) => (
          <li key={id} data-role={role}>
            {parts.map(part => (part.type === 'text' ? part.text : '')).join('')}
          </li>
        ))}
      </ol>
      <output>{status}</output>
      {error && <p role="alert">{error.message}</p>}
      <form
        onSubmit={event => {
          event.preventDefault()
          void sendMessage({ text })
        }}
      >
        <input aria-label="Question" value={text} onChange={event => setText(event.target.value)} />
        <button type="submit">Send</button>
        <button type="button" onClick={stop}>
          Stop
        </button>
      </form>
    </main>
  )
}

createRoot(document.body.appendChild(document.createElement('div'))).render(<Page />)
