import { X } from 'lucide-react'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { useText } from '../text/text'

// Drawer is a modal dialog: a bottom sheet on a phone, centered on a wide screen. The browser keeps the focus inside,
// closes the dialog on Escape and restores the focus.
export function Drawer({ title, close, children, className = '' }: { title: string; close: () => void; children: ReactNode; className?: string }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  const { t } = useText()
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
        if (event.target === event.currentTarget && event.detail === 1) close() // a click on the backdrop
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
