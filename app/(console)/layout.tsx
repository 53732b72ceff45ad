import type { ReactNode } from 'react'
import { ContinuedChat } from './chat/continued-chat.tsx'

/** Shared by the chat, the batch page and the API reference. */
export default function ConsoleLayout({ children }: { children: ReactNode }) {
  return (
    <>
      {children}
      <ContinuedChat />
    </>
  )
}
