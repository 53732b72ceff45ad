const COMMAND = 'echo "ADMIN_TOKEN=$(openssl rand -hex 24)" >> .env'

/** Says why there is no sign-in on this gateway, and how to get one. */
export function SwitchedOff({ message, onRetry }: { message: string; onRetry: () => void }) {
  return (
    <div className="max-w-xl leading-relaxed">
      <h2 className="font-serif text-3xl tracking-tight">The admin API is switched off</h2>
      <p className="mt-3">{message}</p>
      <p className="mt-3">
        Choose a token of at least 16 characters that cannot be guessed, for example with this command in the
        gateway’s folder, and restart the gateway. Then sign in here with the token.
      </p>
      <pre className="command mt-3">{COMMAND}</pre>
      <button type="button" className="outline-button mt-4" onClick={onRetry}>
        Check again
      </button>
    </div>
  )
}
