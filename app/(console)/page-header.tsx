import { NewChatIcon } from './icons.tsx'
import { ThemeToggle } from './theme-toggle.tsx'

export function PageHeader({ onNewChat }: { onNewChat: () => void }) {
  return (
    <header className="sticky top-0 z-10 bg-paper">
      <div className="column flex h-14 items-center justify-between">
        <h1 className="font-serif text-xl font-semibold tracking-tight">Parley</h1>
        <div className="-mr-2 flex items-center gap-1">
          <button type="button" className="text-button" onClick={onNewChat}>
            <NewChatIcon /> New chat
          </button>
          <ThemeToggle />
        </div>
      </div>
    </header>
  )
}
