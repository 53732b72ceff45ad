import { useState } from 'react'
import { TextField } from '../../text-field.tsx'
import { AmountField } from '../budgets/amount-field.tsx'
import type { Role } from '../wire.ts'
import { hasRestrictions, type KeyFields } from './key-fields.ts'

const LONGEST_NAME = 200
const LONGEST_OWNER = 128

type Props = { fields: KeyFields; onWrite: (changed: Partial<KeyFields>) => void }

/** The inputs for a key's settings: few first, the others folded. */
export function FieldInputs({ fields, onWrite }: Props) {
  const [isOpen] = useState(() => hasRestrictions(fields))
  return (
    <>
      <div className="field-grid">
        <TextField
          label="Name"
          required
          maxLength={LONGEST_NAME}
          value={fields.name}
          onWrite={name => onWrite({ name })}
        />
        <TextField
          label="Owner"
          maxLength={LONGEST_OWNER}
          placeholder="Optional, e.g. team-search"
          value={fields.owner}
          onWrite={owner => onWrite({ owner })}
        />
        <label className="field">
          Role
          <select value={fields.role} onChange={event => onWrite({ role: event.target.value as Role })}>
            <option value="member">Member: own keys and usage</option>
            <option value="admin">Admin: everything on this page</option>
          </select>
        </label>
      </div>
      <details className="fold mt-3" open={isOpen}>
        <summary>Limits and scopes</summary>
        <RestrictionInputs fields={fields} onWrite={onWrite} />
      </details>
    </>
  )
}

function RestrictionInputs({ fields, onWrite }: Props) {
  return (
    <div className="field-grid mt-2">
      <CountField
        label="Requests a minute"
        placeholder="The gateway’s limit"
        value={fields.requestsPerMinute}
        onWrite={requestsPerMinute => onWrite({ requestsPerMinute })}
      />
      <CountField
        label="Tokens a minute"
        value={fields.tokensPerMinute}
        onWrite={tokensPerMinute => onWrite({ tokensPerMinute })}
      />
      <CountField
        label="Calls at once"
        value={fields.concurrency}
        onWrite={concurrency => onWrite({ concurrency })}
      />
      <AmountField
        label="Budget a day, in US dollars"
        value={fields.dayUsd}
        onWrite={dayUsd => onWrite({ dayUsd })}
      />
      <AmountField
        label="Budget a month, in US dollars"
        value={fields.monthUsd}
        onWrite={monthUsd => onWrite({ monthUsd })}
      />
      <label className="field">
        Expires, in your time zone
        <input
          type="datetime-local"
          value={fields.expiresAt}
          onChange={event => onWrite({ expiresAt: event.target.value })}
        />
      </label>
      <LinesField
        label="Routes, one per line"
        placeholder="All, or e.g. /v1/*"
        value={fields.routes}
        onWrite={routes => onWrite({ routes })}
      />
      <LinesField
        label="Models, one per line"
        placeholder="All, or e.g. openai/*"
        value={fields.models}
        onWrite={models => onWrite({ models })}
      />
    </div>
  )
}

type FieldProps = { label: string; placeholder?: string; value: string; onWrite: (value: string) => void }

function CountField({ label, placeholder = 'No limit', value, onWrite }: FieldProps) {
  return (
    <label className="field">
      {label}
      <input
        type="number"
        inputMode="numeric"
        min={1}
        step={1}
        placeholder={placeholder}
        value={value}
        onChange={event => onWrite(event.target.value)}
      />
    </label>
  )
}

function LinesField({ label, placeholder = '', value, onWrite }: FieldProps) {
  return (
    <label className="field">
      {label}
      <textarea
        rows={2}
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        onChange={event => onWrite(event.target.value)}
      />
    </label>
  )
}
