import type { ReactNode } from 'react'

/** Icons are decoration: the surrounding control has the accessible name. */
function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 20 20"
      className="size-5 shrink-0"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  )
}

export const SendIcon = () => (
  <Icon>
    <path d="M10 16V4.5M5 9.5l5-5 5 5" />
  </Icon>
)

export const StopIcon = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="9" height="9" rx="1.5" fill="currentColor" />
  </Icon>
)

export const CopyIcon = () => (
  <Icon>
    <rect x="7" y="7" width="9" height="9" rx="2" />
    <path d="M13 7V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v5a2 2 0 0 0 2 2h1" />
  </Icon>
)

export const CheckIcon = () => (
  <Icon>
    <path d="m4.5 10.5 3.5 3.5 7.5-8" />
  </Icon>
)

export const RetryIcon = () => (
  <Icon>
    <path d="M15.5 10a5.5 5.5 0 1 1-1.7-4l1.7 1.6M15.5 4v3.6h-3.6" />
  </Icon>
)

export const EditIcon = () => (
  <Icon>
    <path d="M12.5 4.5l3 3L7 16H4v-3z" />
  </Icon>
)

export const NewChatIcon = () => (
  <Icon>
    <path d="M10 4.5v11M4.5 10h11" />
  </Icon>
)

export const DownIcon = () => (
  <Icon>
    <path d="M10 4.5V15M5.5 10.5 10 15l4.5-4.5" />
  </Icon>
)

export const ChevronIcon = () => (
  <Icon>
    <path d="m6.5 8.5 3.5 3.5 3.5-3.5" />
  </Icon>
)

export const SunIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="3" />
    <path d="M10 3v1.5M10 15.5V17M3 10h1.5M15.5 10H17M5 5l1.1 1.1M13.9 13.9 15 15M5 15l1.1-1.1M13.9 6.1 15 5" />
  </Icon>
)

export const MoonIcon = () => (
  <Icon>
    <path d="M16 11.6A6.3 6.3 0 1 1 8.4 4a5 5 0 0 0 7.6 7.6Z" />
  </Icon>
)

export const SystemIcon = () => (
  <Icon>
    <rect x="3" y="4" width="14" height="9.5" rx="1.5" />
    <path d="M7.5 16.5h5" />
  </Icon>
)

export const NotificationIcon = () => (
  <Icon>
    <path d="M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1h-13zM8.5 17h3" />
  </Icon>
)

export const UploadIcon = () => (
  <Icon>
    <path d="M10 13V4M6 7.5 10 4l4 3.5M4 13v2.5A1.5 1.5 0 0 0 5.5 17h9a1.5 1.5 0 0 0 1.5-1.5V13" />
  </Icon>
)

export const DownloadIcon = () => (
  <Icon>
    <path d="M10 4v9M6 9.5l4 3.5 4-3.5M4 13v2.5A1.5 1.5 0 0 0 5.5 17h9a1.5 1.5 0 0 0 1.5-1.5V13" />
  </Icon>
)

export const CloseIcon = () => (
  <Icon>
    <path d="m5.5 5.5 9 9M14.5 5.5l-9 9" />
  </Icon>
)
