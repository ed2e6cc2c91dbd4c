import './style.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { SessionProvider } from './session/SessionProvider'
import { TextProvider } from './text/text'
import { startTheme } from './ui/theme'
import { ToastProvider } from './ui/toast'
import { App } from './App'

startTheme()

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <TextProvider>
        <SessionProvider>
          <ToastProvider>
            <App />
          </ToastProvider>
        </SessionProvider>
      </TextProvider>
    </StrictMode>,
  )
}
