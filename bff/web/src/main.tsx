import './style.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App'
import { startTheme } from './parts/theme'
import { Toasts } from './parts/toast'
import { SessionProvider } from './session/SessionProvider'
import { Words } from './text/text'

startTheme()

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Words>
        <SessionProvider>
          <Toasts>
            <App />
          </Toasts>
        </SessionProvider>
      </Words>
    </StrictMode>,
  )
}
