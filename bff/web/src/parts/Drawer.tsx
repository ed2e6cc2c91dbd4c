import { X } from 'lucide-react'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { useWords } from '../text/text'

// Drawer is a dialog that slides in from below, or stands in the middle where there is room. The browser keeps the focus
// inside, closes it with Escape and gives the focus back.
export function Drawer({ title, close, children, className = '' }: { title: string; close: () => void; children: ReactNode; className?: string }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  const { t } = useWords()
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={`drawer ${className}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget && event.detail === 1) close() // beside it
      }}
    >
      <div className="drawer-body">
        <header className="drawer-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="icon-button" aria-label={t.close} onClick={close}>
            <X />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
