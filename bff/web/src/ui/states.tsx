import { CloudOff, Inbox, RotateCw } from 'lucide-react'
import { type ReactNode, useCallback, useEffect, useRef } from 'react'
import type { CombinedError } from 'urql'
import { useReconnect } from '../graph/connection'
import { useText } from '../text/text'

// EmptyState shows that there is nothing here, and why.
export function EmptyState({ title, detail, icon, children }: { title: string; detail?: string; icon?: ReactNode; children?: ReactNode }) {
  return (
    <div className="empty">
      <span className="empty-icon">{icon ?? <Inbox />}</span>
      <p className="empty-title">{title}</p>
      {detail && <p>{detail}</p>}
      {children}
    </div>
  )
}

// ErrorState shows an error and a button to retry. It also retries when the connection is back.
export function ErrorState({ error, retry }: { error: CombinedError; retry: () => void }) {
  const { t, errorText } = useText()
  const latest = useRef(retry)
  useEffect(() => {
    latest.current = retry
  })
  useReconnect(useCallback(() => latest.current(), []))
  return (
    <div className="empty" role="alert">
      <span className="empty-icon">
        <CloudOff />
      </span>
      <p>{errorText(error)}</p>
      <button type="button" className="button" onClick={retry}>
        <RotateCw size={16} /> {t.retry}
      </button>
    </div>
  )
}
