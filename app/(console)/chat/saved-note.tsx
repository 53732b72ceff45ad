import { ConfirmButton } from '../confirm-button.tsx'

type Props = { saved: boolean; onDelete: () => void }

/** Where chats are kept, and the button that deletes them. */
export function SavedNote({ saved, onDelete }: Props) {
  return (
    <div className="saved-note">
      <p>{saved ? 'Chats are saved in this browser only.' : 'This browser can’t save chats.'}</p>
      <ConfirmButton
        label="Delete saved chats"
        question="Delete all chats and drafts saved in this browser? This can’t be undone."
        yes="Delete"
        no="Keep"
        onConfirm={onDelete}
      />
    </div>
  )
}
