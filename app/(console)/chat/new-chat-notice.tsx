const STARTED = 'New chat started.'

/** Offers the previous conversation again after a new chat was started. */
export function NewChatNotice({ onUndo }: { onUndo: () => void }) {
  return (
    <div className="dock-notice">
      <p>{STARTED}</p>
      <button type="button" className="text-button" onClick={onUndo}>
        Undo
      </button>
    </div>
  )
}
