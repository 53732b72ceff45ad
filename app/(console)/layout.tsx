import type { ReactNode } from 'react'
import { ContinuedChat } from './chat/continued-chat.tsx'

/** Shared by the chat and the batch page. */
export default function ConsoleLayout({ children }: { children: ReactNode }) {
  return (
    <>
      {children}
      <ContinuedChat />
    </>
  )
}
