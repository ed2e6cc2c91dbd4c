import { CloudOff, Inbox, RotateCw } from 'lucide-react'
import { type ReactNode, useCallback, useEffect, useRef } from 'react'
import type { CombinedError } from 'urql'
import { useWords } from '../text/text'
import { useReconnect } from './hooks'

// Avatar is somebody's portrait. The name stands beside it, so it says nothing itself.
export function Avatar({ url, size = 40 }: { url: string | undefined; size?: number }) {
  return <img className="avatar" src={url} width={size} height={size} alt="" loading="lazy" />
}

// Empty says that there is nothing, and why.
export function Empty({ title, why, icon, children }: { title: string; why?: string; icon?: ReactNode; children?: ReactNode }) {
  return (
    <div className="empty">
      <span className="empty-icon">{icon ?? <Inbox />}</span>
      <p className="empty-title">{title}</p>
      {why && <p>{why}</p>}
      {children}
    </div>
  )
}

// Problem says what went wrong, with a way to try again; it tries by itself when the server is back.
export function Problem({ error, again }: { error: CombinedError; again: () => void }) {
  const { t, problem } = useWords()
  const latest = useRef(again)
  useEffect(() => {
    latest.current = again
  })
  useReconnect(useCallback(() => latest.current(), []))
  return (
    <div className="empty" role="alert">
      <span className="empty-icon">
        <CloudOff />
      </span>
      <p>{problem(error)}</p>
      <button type="button" className="button" onClick={again}>
        <RotateCw size={16} /> {t.retry}
      </button>
    </div>
  )
}

// Reached calls when the end of a list comes into sight.
export function Reached({ call }: { call: () => void }) {
  const mark = useRef<HTMLDivElement>(null)
  const latest = useRef(call)
  useEffect(() => {
    latest.current = call
  })
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) latest.current()
      },
      { rootMargin: '300px' },
    )
    if (mark.current) observer.observe(mark.current)
    return () => observer.disconnect()
  }, [])
  return (
    <div ref={mark} className="reached">
      <span className="spinner" />
    </div>
  )
}
