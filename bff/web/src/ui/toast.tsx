import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'

interface Toast {
  text: string
  action?: { label: string; run: () => void } | undefined
}

const ToastContext = createContext<(text: string, action?: Toast['action']) => void>(() => undefined)

// ToastProvider shows one short message at a time, on top of everything.
export function ToastProvider({ children }: { children: ReactNode }) {
  const [toast, setToast] = useState<Toast | null>(null)
  const popover = useRef<HTMLDivElement>(null)
  // Show the popover again for each toast: an open dialog covers everything shown before it.
  useEffect(() => {
    const element = popover.current
    element?.showPopover()
    return () => element?.hidePopover()
  }, [toast])
  useEffect(() => {
    if (!toast) return
    const timer = setTimeout(() => setToast(null), toast.action ? 8_000 : 3_000)
    return () => clearTimeout(timer)
  }, [toast])
  const show = useCallback((text: string, action?: Toast['action']) => setToast({ text, action }), [])
  return (
    <ToastContext value={show}>
      {children}
      <div className="toasts" role="status" popover="manual" ref={popover}>
        {toast && (
          <div className="toast">
            {toast.text}
            {toast.action && (
              <button
                type="button"
                onClick={() => {
                  toast.action?.run()
                  setToast(null)
                }}
              >
                {toast.action.label}
              </button>
            )}
          </div>
        )}
      </div>
    </ToastContext>
  )
}

// useToast returns a function that shows a toast.
export const useToast = () => use(ToastContext)
