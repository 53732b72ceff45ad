import { ChatPage } from './chat/chat-page.tsx'

export default function Page() {
  return <ChatPage />
}
