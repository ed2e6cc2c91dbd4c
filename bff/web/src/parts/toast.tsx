import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'

interface Toast {
  text: string
  action?: { label: string; run: () => void } | undefined
}

const Context = createContext<(text: string, action?: Toast['action']) => void>(() => undefined)

// Toasts shows one short message at a time, over everything.
export function Toasts({ children }: { children: ReactNode }) {
  const [toast, setToast] = useState<Toast | null>(null)
  const box = useRef<HTMLDivElement>(null)
  // Dialogs lie over all but what was shown after them.
  useEffect(() => {
    const element = box.current
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
    <Context value={show}>
      {children}
      <div className="toasts" role="status" popover="manual" ref={box}>
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
    </Context>
  )
}

// useToast returns how to say something for a moment.
export const useToast = () => use(Context)
